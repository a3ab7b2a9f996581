/** A column: where its cells stand, and how the head explains itself. */
export interface Column {
  readonly head: string;
  readonly left?: boolean;
}

export interface Row {
  /** HTML, one entry a column. */
  readonly cells: readonly string[];
  /** `group` draws a line above the row. */
  readonly className?: string;
}

/** A table; heads and cells are HTML already. On a narrow page it scrolls by itself. */
export const table = (columns: readonly Column[], rows: readonly Row[]): string => {
  const cell = (tag: 'th' | 'td', html: string, index: number): string =>
    `<${tag}${columns[index]?.left ? ' class="left"' : ''}>${html}</${tag}>`;
  const head = columns.map(({ head: html }, index) => cell('th', html, index)).join('');
  const body = rows
    .map(
      ({ cells, className }) =>
        `<tr${className ? ` class="${className}"` : ''}>${cells.map((html, index) => cell('td', html, index)).join('')}</tr>`,
    )
    .join('\n');
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
};

/** Names and their values, one below the other; both are HTML. */
export const facts = (entries: readonly (readonly [string, string])[]): string =>
  `<dl>${entries.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('')}</dl>`;
