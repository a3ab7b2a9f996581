import type { Episode } from '../domain/episode.ts';

/**
 * Whether nothing of an episode that has ended can still be under way: each turn was asked once and answered. What is
 * given up goes on for a while, such as a request whose answer came too late.
 */
export const isQuiet = ({ ending, turns }: Pick<Episode, 'ending' | 'turns'>): boolean =>
  (ending === 'answered' || ending === 'turn_limit') && turns.every(({ tries }) => tries === 1);
