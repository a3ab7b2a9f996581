/** What is left out of a distribution is less than this for each of its values. */
const negligible = 1e-25;

type Distribution = ReadonlyMap<number, number>;

/** `size` times heads less tails of `throws` fair coins. */
const coins = (size: number, throws: number): Distribution => {
  const found = new Map<number, number>();
  // In logarithms, because the first term underflows from about 1,070 throws on.
  let logTerm = -throws * Math.LN2;
  for (let heads = 0; heads <= throws; heads += 1) {
    const share = Math.exp(logTerm);
    if (share > negligible) found.set(size * (2 * heads - throws), share);
    logTerm += Math.log(throws - heads) - Math.log(heads + 1);
  }
  return found;
};

const sumOf = (first: Distribution, second: Distribution): Distribution => {
  const sums = new Map<number, number>();
  for (const [a, share] of first)
    for (const [b, other] of second)
      if (share * other > negligible) sums.set(a + b, (sums.get(a + b) ?? 0) + share * other);
  return sums;
};

/**
 * Exact two-sided p of Fisher's randomisation test for pairs (The Design of Experiments, 1935, section 21): how often the
 * sum of the differences is as far from 0 as it is, where the sign of each is thrown. Each sample is one difference however
 * many attempts it has, so that attempts that are alike count once, as in the clustered form of McNemar's test by Durkalski
 * et al. (Statistics in Medicine 22, 2003, 2417-2428), of which this is the exact one. With one attempt a sample it is
 * McNemar's exact test.
 *
 * @param differences - Of each sample, the attempts that the second got right less those that the first got right.
 * @returns A share; below 1e-20 it may be 0.
 */
export const signFlipExact = (differences: readonly number[]): number => {
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  const counts = Map.groupBy(differences.map(Math.abs), (size) => size);
  counts.delete(0);
  const distribution = [...counts].map(([size, { length }]) => coins(size, length)).reduce(sumOf, new Map([[0, 1]]));
  let p = 0;
  for (const [sum, share] of distribution) if (Math.abs(sum) >= observed) p += share;
  return Math.min(1, p);
};
