import { execa } from 'execa';
import { LensmithError } from '../domain/errors.ts';
import type { Host } from './host.ts';

const script = `
import importlib.util, pathlib, sys
spec = importlib.util.find_spec(sys.argv[1])
if spec is None or spec.origin is None: raise SystemExit(3)
found = sorted(pathlib.Path(spec.origin).parent.rglob("*.gguf"))
print(found[0] if found else "")
`;

/** A path as it is, or the GGUF file that `package:<distribution>` ships in the host's Python environment. */
export const resolveModelPath = async (host: Host, model: string): Promise<string> => {
  if (!model.startsWith('package:')) return model;
  const module = model.slice('package:'.length).replaceAll('-', '_');
  const { stdout } = await execa(host.python, ['-c', script, module], { reject: false, timeout: 30_000 });
  const path = (stdout ?? '').trim();
  if (path === '')
    throw new LensmithError('config', `expected a Python package that ships a GGUF file, got "${model}"`, {
      where: 'judge.model',
    });
  return path;
};
