const markers: readonly RegExp[] = [
  // On lines of their own.
  /(?:^|\n)[ \t]*\(?([A-J])[.):][ \t]*([^\n]+)/g,
  // One behind the other: `(A) red (B) blue`.
  /(?:^|\s)\(([A-J])\)\s*(.+?)(?=\s*[,;]?\s*\([A-J]\)|\n|$)/g,
  /(?:^|\s)([A-J])[.):]\s*(.+?)(?=\s*[,;]?\s+[A-J][.):]\s|\n|$)/g,
];

/**
 * The options that a question lists, by letter: `A. red`, `(A) red (B) blue`. Empty where the letters do not run
 * from A without a gap.
 */
export const parseOptions = (question: string): ReadonlyMap<string, string> => {
  for (const marker of markers) {
    const found = [...question.matchAll(marker)].map(([, letter = '', text = '']) => [letter, text.trim()] as const);
    const inOrder = found.every(([letter], index) => letter === String.fromCharCode(65 + index));
    if (found.length >= 2 && inOrder) return new Map(found);
  }
  return new Map();
};
