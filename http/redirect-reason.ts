/** What is wrong with an answer that redirects, and what to do: a request is sent to nobody else than it was meant for. */
export const redirectReason = (status: number, location: string | undefined): string =>
  `${status}, a redirect to ${location ?? 'nowhere'}; give that server's own address`;
