import { evaluateNumbers } from './numeric-expression.ts';

/** The operations that CodeVision requires or charges; every other one is extra. */
export const coreOperations = [
  'rotate_90',
  'rotate_180',
  'rotate_270',
  'flip_horizontal',
  'flip_vertical',
  'crop',
] as const;

export const orientationOperations: readonly string[] = coreOperations.filter((name) => name !== 'crop');

const plain: readonly (readonly [pattern: RegExp, operation: string])[] = [
  [/transpose\(\s*Image\.ROTATE_90\s*\)/, 'rotate_90'],
  [/transpose\(\s*Image\.ROTATE_180\s*\)/, 'rotate_180'],
  [/transpose\(\s*Image\.ROTATE_270\s*\)/, 'rotate_270'],
  [/cv2\.rotate\([^,)]*,\s*cv2\.ROTATE_90_CLOCKWISE\s*\)/, 'rotate_270'],
  [/cv2\.rotate\([^,)]*,\s*cv2\.ROTATE_180\s*\)/, 'rotate_180'],
  [/cv2\.rotate\([^,)]*,\s*cv2\.ROTATE_90_COUNTERCLOCKWISE\s*\)/, 'rotate_90'],
  [/ImageOps\.mirror|transpose\(\s*Image\.FLIP_LEFT_RIGHT\s*\)/, 'flip_horizontal'],
  [/ImageOps\.flip|transpose\(\s*Image\.FLIP_TOP_BOTTOM\s*\)/, 'flip_vertical'],
  [/ImageEnhance\.Brightness/, 'brightness'],
  [/ImageEnhance\.Contrast|cv2\.convertScaleAbs/, 'contrast'],
  [/ImageEnhance\.Sharpness|ImageFilter\.(?:SHARPEN|UnsharpMask)/, 'sharpen'],
  [/ImageEnhance\.Color/, 'color'],
  [
    /ImageFilter\.(?:BLUR|BoxBlur|GaussianBlur|MedianFilter|SMOOTH)|cv2\.(?:blur|boxFilter|GaussianBlur|medianBlur)/,
    'blur',
  ],
  [/ImageFilter\.(?:DETAIL|EDGE_ENHANCE|FIND_EDGES)|cv2\.(?:Canny|Sobel|Laplacian)/, 'edges'],
  [/\.convert\(\s*['"]L['"]\s*\)|cv2\.COLOR_(?:BGR|RGB)2GRAY/, 'grayscale'],
  [/\.resize\(\s*\(|ImageOps\.fit\(/, 'resize'],
  [/ImageOps\.(?:autocontrast|equalize)|cv2\.equalizeHist/, 'equalize'],
  [/ImageOps\.(?:invert|solarize|posterize)/, 'invert'],
  [/cv2\.(?:erode|dilate)/, 'morphology'],
];

const quarterOf = (degrees: number): string | undefined => {
  const angle = ((degrees % 360) + 360) % 360;
  return [90, 180, 270].map((quarter) => (Math.abs(angle - quarter) <= 5 ? `rotate_${quarter}` : '')).find(Boolean);
};

/**
 * The operations that the text of a program names, by the patterns of CodeVision's `tool_use_judge.py`: also where the
 * call failed, and not `Image.Transpose.ROTATE_90`. Crops are found by their boxes, not here.
 */
export const namedOperations = (code: string): Set<string> => {
  const found = new Set(plain.flatMap(([pattern, operation]) => (pattern.test(code) ? [operation] : [])));
  for (const [, expression = ''] of code.matchAll(/\.rotate\(\s*([^,)]+)\s*(?:,[^)]*)?\)/g)) {
    const angle = evaluateNumbers(expression);
    const operation = typeof angle === 'number' ? quarterOf(angle) : undefined;
    if (operation) found.add(operation);
  }
  for (const [, turns = '1'] of code.matchAll(/np\.rot90\(\s*[^,\s)]+\s*(?:,\s*k\s*=\s*([-+]?\d+))?/g)) {
    const operation = quarterOf(90 * Number(turns));
    if (operation) found.add(operation);
  }
  return found;
};
