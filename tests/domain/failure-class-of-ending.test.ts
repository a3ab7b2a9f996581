import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { failureTypes } from '../../domain/errors.ts';
import { classifyEnding, type Ending } from '../../domain/failure-class-of-ending.ts';

const ending = (changes: Partial<Ending> = {}): Ending => ({
  exitCode: 1,
  signal: null,
  log: [],
  kernelKilled: false,
  ...changes,
});

/** Ends of logs in the format of the tools that write them. */
const excerpts: Record<string, { type: string; log: string }> = {
  'the caching allocator of torch': {
    type: 'out_of_memory',
    log: `step 41/400 loss 1.204
[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.61 GiB. GPU 3 has a total capacity of 139.80 GiB of which 1.02 GiB is free.`,
  },
  'an older torch': {
    type: 'out_of_memory',
    log: 'torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 79.15 GiB total capacity)',
  },
  'cuBLAS without memory': {
    type: 'out_of_memory',
    log: 'RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`',
  },
  'a server of vLLM beside a process that holds the GPU': {
    type: 'out_of_memory',
    log: `(EngineCore_DP0 pid=4411) ERROR 03-02 10:11:12 [core.py:718] ValueError: Free memory on device (3.02/79.15 GiB) on startup is less than desired GPU memory utilization (0.9, 71.2 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.
(APIServer pid=4300) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore_DP0': 1}`,
  },
  'a context that does not fit into the cache of vLLM': {
    type: 'config',
    log: "ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB KV cache is needed, which is larger than the available KV cache memory (9.40 GiB).",
  },
  'the CPU allocator of torch': {
    type: 'host_memory',
    log: "RuntimeError: [enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 68719476736 bytes. Error code 12 (Cannot allocate memory)",
  },
  'a data loader whose shared memory is full': {
    type: 'host_memory',
    log: "RuntimeError: DataLoader worker (pid 811) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory.",
  },
  'the memory monitor of Ray': {
    type: 'host_memory',
    log: 'ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.\nMemory on the node (IP: 10.0.0.4) was 240.1GB / 251.0GB (0.956), which exceeds the memory usage threshold of 0.95.',
  },
  'Slurm and its memory limit': {
    type: 'host_memory',
    log: 'slurmstepd: error: Detected 1 oom_kill event in StepId=4711.0. Some of the step tasks have been OOM Killed.',
  },
  'a collective that timed out': {
    type: 'nccl',
    log: `[rank1]:[E1121 09:00:01.100000000 ProcessGroupNCCL.cpp:632] [Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=977, OpType=ALLREDUCE, NumelIn=512, NumelOut=512, Timeout(ms)=600000) ran for 600021 milliseconds before timing out.
[rank1]:[E1121 09:00:01.200000000 ProcessGroupNCCL.cpp:1785] [PG ID 0 PG GUID 0(default_pg) Rank 1] Exception (either an error or timeout) detected by watchdog at work: 977, last enqueued NCCL work: 980, last completed NCCL work: 976.`,
  },
  'a network that NCCL lost': {
    type: 'nccl',
    log: 'torch.distributed.DistBackendError: NCCL error in: /pytorch/torch/csrc/distributed/c10d/NCCLUtils.hpp:268, remote process exited or there was a network error, NCCL version 2.27.5\nncclRemoteError: A call failed possibly due to a network error',
  },
  'a machine without a GPU that can be opened': {
    type: 'cuda_init',
    log: 'RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 802: system not yet initialized',
  },
  'GPUs that another process has for itself': {
    type: 'cuda_init',
    log: 'torch.AcceleratorError: CUDA error: all CUDA-capable devices are busy or unavailable',
  },
  'a driver that was updated under a program': {
    type: 'cuda_init',
    log: 'Failed to initialize NVML: Driver/library version mismatch',
  },
  'memory errors of a GPU': {
    type: 'gpu_fault',
    log: 'torch.AcceleratorError: CUDA error: uncorrectable ECC error encountered\nCUDA kernel errors might be asynchronously reported at some other API call',
  },
  'a lost GPU': { type: 'gpu_fault', log: 'NVRM: Xid (PCI:0000:4e:00): 79, pid=991, GPU has fallen off the bus.' },
  'a taken port of uvicorn': {
    type: 'port',
    log: "ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use",
  },
  'a taken port of the rendezvous': {
    type: 'port',
    log: 'torch.distributed.DistNetworkError: The server socket has failed to listen on any local network address. port: 29500, useIpv6: false, code: -98, name: EADDRINUSE, message: address already in use',
  },
  'a job that Slurm takes back': {
    type: 'preemption',
    log: 'slurmstepd: error: *** JOB 4711 ON node17 CANCELLED AT 2030-01-02T03:04:05 DUE TO PREEMPTION ***',
  },
  'a node of Ray that died': {
    type: 'preemption',
    log: 'ray.exceptions.NodeDiedError: Task failed due to the node (where this task was running) was dead or unavailable.',
  },
  'a torchrun that is told to end': {
    type: 'preemption',
    log: 'W1121 09:00:00.000000 812 torch/distributed/elastic/agent/server/api.py:739] Received Signals.SIGTERM death signal, shutting down workers',
  },
  'a head of Ray that is gone': {
    type: 'ray_head',
    log: '[2030-01-02 03:04:05,678 E 812 845] gcs_rpc_client.h:554: Failed to connect to GCS within 60 seconds. GCS may have been killed. The program will terminate.',
  },
  'a full disk below Python': { type: 'disk_full', log: 'OSError: [Errno 28] No space left on device' },
  'a full disk below safetensors': {
    type: 'disk_full',
    log: 'safetensors_rust.SafetensorError: Error while serializing: IoError(Os { code: 28, kind: StorageFull, message: "No space left on device" })',
  },
  'a model behind a gate': {
    type: 'auth',
    log: 'huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-abc)\nCannot access gated repo for url https://huggingface.co/x/y/resolve/main/config.json.',
  },
  'a Parquet file that is none': {
    type: 'data',
    log: 'pyarrow.lib.ArrowInvalid: Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file.',
  },
  'a picture that is none': {
    type: 'data',
    log: 'PIL.UnidentifiedImageError: cannot identify image file <_io.BytesIO object at 0x7f>',
  },
  'a torch without CUDA': { type: 'config', log: 'AssertionError: Torch not compiled with CUDA enabled' },
  'an argument that nobody knows': { type: 'config', log: 'vllm: error: unrecognized arguments: --max-modellen 4096' },
  'an error of the code': {
    type: 'user_code',
    log: 'Traceback (most recent call last):\n  File "reward.py", line 3, in score\n    return row["answer"]\nKeyError: \'answer\'',
  },
};

describe('the class by the words of a log', () => {
  it.each(Object.entries(excerpts))('%s', (_, { type, log }) => {
    const found = classifyEnding(ending({ log: ['loading', ...log.split('\n')] }));
    expect(found.type).toBe(type);
    expect(log).toContain(found.evidence);
  });

  it('the cause comes before what follows from it', () => {
    const log = [excerpts['a collective that timed out'], excerpts['the caching allocator of torch']];
    const lines = log.flatMap((excerpt) => excerpt?.log.split('\n') ?? []);
    expect(classifyEnding(ending({ log: lines })).type).toBe('out_of_memory');
    expect(classifyEnding(ending({ log: lines.reverse() })).type).toBe('out_of_memory');
  });

  it('an error of code that a program got over does not stand for its end', () => {
    const complaint = ["KeyError: 'optional'", ...Array.from({ length: 60 }, (_, step) => `step ${step}`)];
    expect(classifyEnding(ending({ log: complaint }))).toEqual({ type: 'infrastructure', evidence: 'exit code 1' });
    expect(classifyEnding(ending({ log: ["KeyError: 'x'"], signal: 'SIGKILL', exitCode: 137 })).type).toBe(
      'infrastructure',
    );
  });
});

describe('the class by what the program reported', () => {
  const reported = (type: (typeof failureTypes)[number], message: string, log: string[] = []) =>
    classifyEnding(ending({ reported: { type, message }, log }));

  it('its word is taken where it has one', () => {
    expect(reported('data', 'train.parquet: row 3 has no image', ['CUDA out of memory']).type).toBe('data');
  });

  it('its exception is looked at where it has none', () => {
    expect(reported('infrastructure', "KeyError: 'answer'").type).toBe('user_code');
    expect(reported('infrastructure', 'the tool server did not answer for 60 s').type).toBe('infrastructure');
    expect(reported('infrastructure', 'RuntimeError: x', ['ncclSystemError: System call failed']).type).toBe('nccl');
  });

  it('memory of the machine is told from that of the GPU', () => {
    const cpu = "RuntimeError: DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.";
    expect(reported('out_of_memory', cpu).type).toBe('host_memory');
    expect(reported('out_of_memory', 'OutOfMemoryError: CUDA out of memory.').type).toBe('out_of_memory');
  });

  it('a stop that nobody here asked for is a preemption', () => {
    expect(reported('cancelled', 'asked to stop by SIGTERM; checkpoint-12 was saved')).toEqual({
      type: 'preemption',
      evidence: 'asked to stop by SIGTERM; checkpoint-12 was saved',
    });
  });
});

test.each([
  ['a kill for memory', { signal: 'SIGKILL', exitCode: 137, kernelKilled: true }, 'host_memory'],
  ['a kill by somebody', { signal: 'SIGKILL', exitCode: 137 }, 'infrastructure'],
  ['a crash of native code', { signal: 'SIGSEGV', exitCode: 139 }, 'infrastructure'],
  ['a request to end', { signal: 'SIGTERM', exitCode: 143 }, 'preemption'],
  ['a command that does not exist', { exitCode: 127 }, 'config'],
  ['a job that Ray has forgotten', { exitCode: null, ray: { status: null, message: '' } }, 'ray_head'],
  ['a job that somebody stopped', { exitCode: null, ray: { status: 'STOPPED', message: '' } }, 'preemption'],
  [
    'a job whose supervisor died',
    { exitCode: null, ray: { status: 'FAILED', message: 'Job supervisor actor died: The actor died unexpectedly' } },
    'ray_head',
  ],
  [
    'a job whose driver was killed for memory',
    {
      exitCode: -9,
      kernelKilled: true,
      ray: { status: 'FAILED', message: 'Job entrypoint command failed with exit code -9. No logs available.' },
    },
    'host_memory',
  ],
  [
    'a job whose driver says why',
    {
      exitCode: 1,
      ray: {
        status: 'FAILED',
        message:
          'Job entrypoint command failed with exit code 1, last available logs:\nOSError: [Errno 98] Address already in use',
      },
    },
    'port',
  ],
] satisfies [string, Partial<Ending>, string][])('the class by the ending itself: %s', (_, changes, type) => {
  expect(classifyEnding(ending(changes)).type).toBe(type);
});

test('every ending has a class of the closed set and an evidence that fits into a line', () => {
  const text = fc.string({ maxLength: 2000 });
  const arbitrary = fc.record({
    exitCode: fc.option(fc.integer({ min: -64, max: 255 })),
    signal: fc.option(fc.constantFrom('SIGKILL', 'SIGTERM', 'SIGSEGV')),
    log: fc.array(text, { maxLength: 5 }),
    kernelKilled: fc.boolean(),
    reported: fc.option(fc.record({ type: fc.constantFrom(...failureTypes), message: text }), { nil: undefined }),
  });
  fc.assert(
    fc.property(arbitrary, (input) => {
      const { type, evidence } = classifyEnding(input);
      expect(failureTypes).toContain(type);
      expect(evidence.length).toBeLessThanOrEqual(300);
      expect(type).not.toBe('cancelled');
    }),
  );
});
