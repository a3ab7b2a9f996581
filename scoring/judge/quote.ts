// Control and format characters, such as zero-width and bidirectional marks: invisible to who reads the journal, but
// not to the judge.
const invisible = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Material as it may stand inside the tags of a prompt: it can neither close its tag nor hold a control token of a chat
 * template, and a comparison such as `x < 3` stays as it is.
 */
export const quote = (text: string): string =>
  text
    .normalize('NFC')
    .replaceAll(invisible, '')
    .replaceAll(/<(?=[\p{L}/|!?])/gu, '‹')
    .replaceAll(/\[(?=\/?(?:INST|SYS|TOOL)\w*\])/g, '(')
    .trim();
