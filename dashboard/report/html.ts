const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML: what a model wrote stays text. */
export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');

export const percent = (share: number | null): string => (share === null ? '–' : (100 * share).toFixed(1));

/** `12.2 [9.1, 15.3]`, in per cent. */
export const withInterval = (value: number, low: number, high: number): string =>
  `${percent(value)} <span class="dim">[${percent(low)}, ${percent(high)}]</span>`;

export const duration = (seconds: number): string => {
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 5400) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
};

/** A table; cells are HTML already. Columns after the first are set to the right unless `left` says otherwise. */
export const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { left = [0] }: { left?: readonly number[] } = {},
): string => {
  const side = (index: number): string => (left.includes(index) ? ' class="left"' : '');
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((cell, index) => `<${tag}${side(index)}>${cell}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll"><table><thead>${cells('th', head)}</thead><tbody>${rows
    .map((row) => cells('td', row))
    .join('')}</tbody></table></div>`;
};

export const section = (title: string, body: string): string =>
  `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;
