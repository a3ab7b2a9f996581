import { distance } from 'fastest-levenshtein';

/** The candidate that was probably meant; undefined where none is near. */
export const nearest = (key: string, candidates: readonly string[]): string | undefined => {
  const [best] = candidates
    .map((candidate) => ({ candidate, cost: distance(key.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.cost - b.cost);
  return best && best.cost <= Math.max(2, Math.floor(key.length / 3)) ? best.candidate : undefined;
};

/** `did you mean "sft"?`, or what there is to choose from. */
export const hintFor = (key: string, candidates: readonly string[]): string => {
  const guess = nearest(key, candidates);
  return guess ? `did you mean "${guess}"?` : `expected one of ${candidates.join(', ')}`;
};
