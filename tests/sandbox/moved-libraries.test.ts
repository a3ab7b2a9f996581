import { expect, test } from 'vitest';
import { sharedSandbox } from './shared-sandbox.ts';

const { run } = sharedSandbox();

test('an interpreter has few mappings of memory, as its forks copy each', async () => {
  const [result] = await run({}, 'print(len(open("/proc/self/maps").readlines()))');
  expect(Number(result?.stdout)).toBeGreaterThan(20);
  expect(Number(result?.stdout)).toBeLessThan(250);
});

test('libraries whose memory was moved raise and catch exceptions of C++', async () => {
  const [result] = await run(
    {},
    'import cv2\ntry:\n    cv2.resize(np.zeros((0, 0), np.uint8), (3, 3))\nexcept cv2.error as error:\n    print(error.func, cv2.resize(np.ones((2, 2), np.uint8), (4, 4)).sum())',
  );
  expect(result).toMatchObject({ outcome: 'ok', stdout: 'resize 16\n' });
});

test('libraries load after the others were moved', async () => {
  const [result] = await run(
    {},
    [
      'import sys',
      'names = ["_sqlite3", "scipy.interpolate._rbfinterp_pythran", "scipy.cluster._vq", "skimage.segmentation._slic"]',
      'print([name in sys.modules for name in names])',
      'import importlib',
      'for name in names[1:]:',
      '    importlib.import_module(name)',
      'from scipy import cluster, interpolate',
      'x = np.linspace(0, 1, 20)[:, None]',
      'print(round(float(interpolate.RBFInterpolator(x, x[:, 0] ** 2)([[0.5]])[0]), 3))',
    ].join('\n'),
  );
  expect(result?.error).toBeNull();
  expect(result?.stdout).toBe('[False, False, False, False]\n0.25\n');
});

test('libraries that were moved compute what they did before', async () => {
  const [result] = await run(
    {},
    [
      'import scipy.linalg, sympy, pandas',
      'matrix = np.random.default_rng(1).random((60, 60))',
      'u, s, v = scipy.linalg.svd(matrix)',
      'print(np.allclose(u * s @ v, matrix), np.allclose(np.linalg.inv(matrix) @ matrix, np.eye(60)))',
      'x = sympy.Symbol("x")',
      'print(sympy.integrate(sympy.exp(-x) * x, (x, 0, sympy.oo)))',
      'print(pandas.DataFrame({"a": [1, 1, 2], "b": [3, 4, 5]}).groupby("a").b.sum().tolist())',
    ].join('\n'),
  );
  expect(result).toMatchObject({ outcome: 'ok', stdout: 'True True\n1\n[7, 5]\n' });
});

test('code that lies elsewhere now is still that of its file', async () => {
  const [result] = await run(
    {},
    [
      'import contextlib, inspect, json.encoder, os, matplotlib.pyplot as plt',
      'functions = [Image.Image.crop, plt.get_fignums, json.encoder.JSONEncoder.encode, contextlib.suppress.__enter__]',
      'codes = [function.__code__ for function in functions]',
      'print([os.path.basename(code.co_filename) for code in codes])',
      'print([inspect.getsource(function).split("(")[0].split()[-1] for function in functions])',
    ].join('\n'),
  );
  expect(result?.stdout.split('\n')).toEqual([
    "['Image.py', 'pyplot.py', 'encoder.py', 'contextlib.py']",
    "['crop', 'get_fignums', 'encode', '__enter__']",
    '',
  ]);
});
