import { openNetwork } from './network.ts';

/** Why this machine cannot make the hosts of a test; null where it can. */
export const whyNoHosts = async (): Promise<string | null> => {
  const network = await openNetwork();
  if ('cannot' in network) return network.cannot;
  await network.close();
  return null;
};
