/** Stands for the next image of a message. */
export const image: unique symbol = Symbol('image');

/** A message as texts and images in turn, so that no text can be taken for an image's place. */
export type MessagePart = string | typeof image;

/** Places of `count` images. */
export const imageParts = (count: number): MessagePart[] => new Array<MessagePart>(count).fill(image);

/** The text of a trace: `{images}` where one or more images stand side by side. */
export const partsText = (parts: readonly MessagePart[]): string =>
  parts
    .map((part, index) => {
      if (part !== image) return part;
      return parts[index - 1] === image ? '' : '{images}';
    })
    .join('');

const places = /\{(question|stdout|error|seconds|images)\}/g;

/**
 * Fills a template's places in one pass, so that what is filled in is not filled again. A place without a value stays
 * as it is; `{images}` becomes `images` image parts.
 */
export const fillTemplate = (
  template: string,
  values: Readonly<Record<string, string>>,
  images: number,
): MessagePart[] => {
  const parts: MessagePart[] = [];
  let text = '';
  let end = 0;
  const flush = () => {
    if (text) parts.push(text);
    text = '';
  };
  for (const place of template.matchAll(places)) {
    text += template.slice(end, place.index);
    end = place.index + place[0].length;
    const name = place[1] ?? '';
    if (name === 'images') {
      flush();
      parts.push(...imageParts(images));
    } else text += Object.hasOwn(values, name) ? values[name] : place[0];
  }
  text += template.slice(end);
  flush();
  return parts;
};
