import Table from 'cli-table3';

const edges = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'];
const lines = {
  ...Object.fromEntries(edges.map((edge) => [edge, ''])),
  ...{ left: '|', right: '|', middle: '|', mid: '-', 'mid-mid': '|', 'left-mid': '|', 'right-mid': '|' },
};

/** A table that is as readable in a terminal as in Markdown. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const table = new Table({ chars: lines, style: { head: [], border: [], compact: true }, head: [...head] });
  for (const row of rows) table.push([...row]);
  return table.toString();
};
