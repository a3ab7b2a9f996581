/**
 * The first `count` of `items` in the order of `compare`, as sorting and cutting would give them, equals in the order in
 * which they came. For a few of many this takes one pass.
 */
export const leastOf = <T>(items: readonly T[], count: number, compare: (a: T, b: T) => number): T[] => {
  if (count >= items.length) return items.toSorted(compare);
  const least: T[] = [];
  for (const item of items) {
    let at = least.length;
    for (let other = least[at - 1]; other !== undefined && compare(item, other) < 0; other = least[at - 1]) at -= 1;
    if (at >= count) continue;
    least.splice(at, 0, item);
    if (least.length > count) least.pop();
  }
  return least;
};
