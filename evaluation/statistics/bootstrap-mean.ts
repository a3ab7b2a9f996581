import { seededRandom } from './seeded-random.ts';
import type { Interval } from './wilson-interval.ts';

/**
 * The mean of the values and its 95 % percentile interval over resampled values. The same values and seed give the
 * same interval.
 *
 * @param values - One a sample; not a number and the whole line as interval without any.
 */
export const bootstrapMean = (
  values: readonly number[],
  { seed = 1, resamples = 2000 }: { readonly seed?: number; readonly resamples?: number } = {},
): Interval & { readonly mean: number } => {
  const count = values.length;
  if (count === 0) return { mean: Number.NaN, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const random = seededRandom(seed);
  const means = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample += 1) {
    let sum = 0;
    for (let draw = 0; draw < count; draw += 1) sum += values[Math.floor(random() * count)] ?? 0;
    means[resample] = sum / count;
  }
  means.sort();
  const quantile = (share: number): number => {
    const place = share * (resamples - 1);
    const below = means[Math.floor(place)] ?? 0;
    return below + (place % 1) * ((means[Math.ceil(place)] ?? 0) - below);
  };
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  return { mean, low: quantile(0.025), high: quantile(0.975) };
};
