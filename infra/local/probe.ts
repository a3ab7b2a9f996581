import { access } from 'node:fs/promises';
import { execa } from 'execa';
import type { Service } from './service.ts';
import { readyFile } from './stack-paths.ts';

const answerMs = 5000;

/** Whether a service does its work now. A service that does not answer is not ready, whatever the reason. */
export const isReady = async (home: string, service: Service): Promise<boolean> => {
  const { ready } = service;
  switch (ready.kind) {
    case 'http': {
      const response = await fetch(ready.url, {
        signal: AbortSignal.timeout(answerMs),
        headers: ready.token ? { authorization: `Bearer ${ready.token}` } : {},
      }).catch(() => undefined);
      await response?.body?.cancel();
      return response?.ok ?? false;
    }
    case 'command': {
      const [program = '', ...rest] = ready.command;
      const env = { ...service.env };
      return !(await execa(program, rest, { env, reject: false, timeout: answerMs, stdio: 'ignore' })).failed;
    }
    case 'file':
      return access(readyFile(home, service.name)).then(
        () => true,
        () => false,
      );
  }
};
