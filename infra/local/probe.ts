import { access, stat } from 'node:fs/promises';
import { execa } from 'execa';
import { request } from 'undici';
import type { Probe, Service } from './service.ts';
import { readyFile } from './stack-paths.ts';

const answerMs = 5000;

/** Whether a probe of a service passes now. A service that does not answer fails it, whatever the reason. */
export const passes = async (home: string, service: Service, probe: Probe): Promise<boolean> => {
  switch (probe.kind) {
    case 'http': {
      // Not `fetch`: it calls itself a browser, and Ray answers browsers with 403.
      const response = await request(probe.url, {
        signal: AbortSignal.timeout(answerMs),
        headers: probe.token ? { authorization: `Bearer ${probe.token}` } : {},
      }).catch(() => undefined);
      await response?.body.dump().catch(() => undefined);
      return response !== undefined && response.statusCode >= 200 && response.statusCode < 300;
    }
    case 'command': {
      const [program = '', ...rest] = probe.command;
      const env = { ...service.env };
      return !(await execa(program, rest, { env, reject: false, timeout: answerMs, stdio: 'ignore' })).failed;
    }
    case 'file':
      return access(readyFile(home, service.name)).then(
        () => true,
        () => false,
      );
    case 'pulse': {
      const file = await stat(readyFile(home, service.name)).catch(() => undefined);
      return file !== undefined && Date.now() - file.mtimeMs <= 1000 * probe.withinSeconds;
    }
  }
};

/** Whether a service does its work now. */
export const isReady = (home: string, service: Service): Promise<boolean> => passes(home, service, service.ready);
