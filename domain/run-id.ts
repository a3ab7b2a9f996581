/** `miniature-20260102-030405`: a name and the second, in UTC, at which a run begins. */
export const runIdAt = (name: string, startedAt: Date): string =>
  `${name}-${startedAt.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}`;
