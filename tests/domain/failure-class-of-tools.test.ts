import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { classifyEnding } from '../../domain/failure-class-of-ending.ts';

const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));

/** Ends a real program and takes its class from what it printed. */
const classOf = async (code: string, ...args: string[]): Promise<string> => {
  const {
    all,
    exitCode = null,
    signal = null,
  } = await execa(python, ['-c', code, ...args], {
    all: true,
    reject: false,
    timeout: 50_000,
  });
  expect([exitCode, signal]).not.toEqual([0, null]);
  return classifyEnding({ exitCode, signal, log: all.split('\n'), kernelKilled: false }).type;
};

const takenPort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return address.port;
};

test.each([
  ['torch asks for more memory than there is', 'import torch; torch.empty(1 << 60, dtype=torch.uint8)', 'host_memory'],
  ['Python asks for more memory than there is', 'bytearray(1 << 60)', 'host_memory'],
  ['a disk is full', 'f = open("/dev/full", "wb", buffering=0); f.write(b"x")', 'disk_full'],
  ['a Parquet file is none', 'import io, pyarrow.parquet as p; p.read_table(io.BytesIO(b"x" * 99))', 'data'],
  ['a picture is none', 'import io, PIL.Image as i; i.open(io.BytesIO(b"x"))', 'data'],
  ['an argument is unknown', 'import argparse; argparse.ArgumentParser().parse_args(["--x"])', 'config'],
  ['a model is none', 'import transformers as t; t.AutoConfig.from_pretrained("/nowhere/model")', 'config'],
  ['a key is missing', '{}["answer"]', 'user_code'],
  ['a program is asked to end', 'import os, signal; os.kill(os.getpid(), signal.SIGTERM)', 'preemption'],
  ['a program crashes in native code', 'import os; os.abort()', 'infrastructure'],
])('%s', async (_, code, type) => {
  expect(await classOf(code)).toBe(type);
});

test('the rendezvous of torch finds its port taken', async () => {
  const code = `
import sys
from torch.distributed import TCPStore
TCPStore("127.0.0.1", int(sys.argv[1]), 1, True)
`;
  expect(await classOf(code, String(await takenPort()))).toBe('port');
});
