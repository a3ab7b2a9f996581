import { openSandbox, type Sandbox } from '../sandbox/open-sandbox.ts';
import type { Host } from './host.ts';

/** The worker's one sandbox, opened when first asked for. */
export interface SharedSandbox {
  (): Promise<Sandbox>;
  readonly closeIfOpen: () => Promise<void>;
}

/** A failed opening is forgotten, so that the next call tries again. */
export const shareSandbox = (host: Host, env: NodeJS.ProcessEnv = process.env): SharedSandbox => {
  let opening: Promise<Sandbox> | undefined;
  const share = (): Promise<Sandbox> => {
    const promise =
      opening ??
      openSandbox({
        python: host.python,
        isolation: env.LENSMITH_ISOLATION === 'none' ? 'none' : 'namespaces',
      }).catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
    opening = promise;
    return promise;
  };
  return Object.assign(share, { closeIfOpen: async () => (await opening)?.close() });
};
