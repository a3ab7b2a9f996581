/**
 * Exact two-sided p of McNemar's test: a sign test on the samples that only one of two models got right.
 *
 * @param onlyFirst - Samples that only the first got right.
 * @param onlySecond - Samples that only the second got right.
 */
export const mcnemarExact = (onlyFirst: number, onlySecond: number): number => {
  const discordant = onlyFirst + onlySecond;
  const fewer = Math.min(onlyFirst, onlySecond);
  let logTerm = -discordant * Math.LN2;
  let tail = Math.exp(logTerm);
  // In logarithms, because the first term underflows from about 1,070 samples on.
  for (let k = 1; k <= fewer; k += 1) {
    logTerm += Math.log(discordant - k + 1) - Math.log(k);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
};
