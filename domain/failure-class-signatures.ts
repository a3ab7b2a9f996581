import type { FailureType } from './errors.ts';

/** One way in which a tool says why it failed. */
export interface FailureSignature {
  readonly type: FailureType;
  /** Matched against one line. */
  readonly pattern: RegExp;
  /** Program that writes it. */
  readonly from: string;
}

/**
 * What programs print when they fail, most telling first: where lines of several classes stand in one log, the class
 * that stands higher here is taken. A rank that ran out of memory leaves the other ranks with NCCL errors, and a node
 * that was taken away leaves both, so that the consequence stands below its cause.
 *
 * The wording is that of: PyTorch (`c10/cuda/CUDACachingAllocator.cpp`, `c10/core/impl/alloc_cpu.cpp`,
 * `ProcessGroupNCCL.cpp`, `TCPStore` sockets, `torch/cuda/__init__.py`, `torch/utils/data`), the CUDA runtime's error
 * strings (`cudaGetErrorString`), vLLM (`vllm/v1/worker`, `vllm/v1/core/kv_cache_utils.py`), Ray
 * (`dashboard/modules/job/job_manager.py`, `ray/exceptions.py`, `gcs_rpc_client.h`, the memory monitor), the
 * NVIDIA driver (Xid lines), Slurm (`slurmstepd`), Hugging Face Hub, PyArrow, Pillow, OmegaConf and Python itself.
 * Threads with whole logs: pytorch/pytorch#118369, vllm-project/vllm#20305, ray-project/ray#45570 and #41437.
 */
export const failureSignatures: readonly FailureSignature[] = [
  { type: 'disk_full', from: 'libc', pattern: /No space left on device|Disk quota exceeded|\bENOSPC\b|\bEDQUOT\b/i },
  { type: 'disk_full', from: 'safetensors', pattern: /StorageFull|code: (?:28|122), kind:/ },
  { type: 'disk_full', from: 'ray', pattern: /ray\.exceptions\.OutOfDiskError/ },

  { type: 'host_memory', from: 'torch', pattern: /DefaultCPUAllocator: (?:can't allocate memory|not enough memory)/ },
  {
    type: 'host_memory',
    from: 'torch data loader',
    pattern: /DataLoader worker \(pid.*is killed by signal: (?:Killed|Bus error)/,
  },
  {
    type: 'host_memory',
    from: 'ray',
    pattern: /ray\.exceptions\.OutOfMemoryError|killed due to (?:the node running low on memory|memory pressure)/,
  },
  { type: 'host_memory', from: 'kernel', pattern: /oom[-_]kill|Out of memory: Killed process/i },
  { type: 'host_memory', from: 'slurm', pattern: /Detected \d+ oom[-_]kill event|\bOOM Killed\b/i },
  {
    type: 'host_memory',
    from: 'python',
    pattern: /^(?:numpy\S*\.)?_?(?:Array)?MemoryError\b|\[Errno 12\] Cannot allocate memory|: Cannot allocate memory$/,
  },

  {
    type: 'out_of_memory',
    from: 'torch',
    pattern: /OutOfMemoryError: |(?:CUDA|HIP) out of memory|CUDA error: out of memory/,
  },
  { type: 'out_of_memory', from: 'cublas', pattern: /CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED/ },
  {
    type: 'out_of_memory',
    from: 'vllm',
    pattern:
      /No available memory for the cache blocks|Free memory on device .*less than desired GPU memory utilization/,
  },

  {
    type: 'gpu_fault',
    from: 'cuda',
    pattern:
      /CUDA error: (?:uncorrectable ECC|unspecified launch failure|an illegal (?:memory access|instruction)|misaligned address|the launch timed out|unknown error)/,
  },
  {
    type: 'gpu_fault',
    from: 'nvidia driver',
    pattern: /NVRM: Xid|GPU has fallen off the bus|GPU is lost|Unable to determine the device handle for GPU/,
  },

  {
    type: 'cuda_init',
    from: 'torch',
    pattern:
      /No CUDA GPUs are available|CUDA driver initialization failed|Found no NVIDIA driver|Unexpected error from cudaGetDeviceCount|CUDA unknown error/,
  },
  {
    type: 'cuda_init',
    from: 'cuda',
    pattern:
      /no CUDA-capable device is detected|all CUDA-capable devices are busy or unavailable|CUDA error: (?:system not yet initialized|invalid device ordinal|initialization error)/,
  },
  {
    type: 'cuda_init',
    from: 'nvml',
    pattern: /Failed to initialize NVML|NVMLError_(?:DriverNotLoaded|LibRmVersionMismatch)/,
  },

  { type: 'port', from: 'libc', pattern: /Address already in use|\bEADDRINUSE\b/i },
  { type: 'port', from: 'torch', pattern: /server socket has failed to (?:bind|listen)/ },

  {
    type: 'preemption',
    from: 'slurm',
    pattern: /\*\*\* (?:JOB|STEP) \S+ ON \S+ CANCELLED AT .* DUE TO (?:PREEMPTION|TIME LIMIT|NODE FAILURE)/,
  },
  {
    type: 'preemption',
    from: 'torchrun',
    pattern: /Received Signals\.SIG(?:TERM|INT) death signal|SignalException: Process \d+ got signal: 15/,
  },
  {
    type: 'preemption',
    from: 'ray',
    pattern:
      /ray\.exceptions\.(?:NodeDiedError|LocalRayletDiedError)|has been marked dead because the detector|because its node has died/,
  },
  { type: 'preemption', from: 'kubernetes', pattern: /\bPod was (?:preempted|evicted)|The node was low on resource/ },

  {
    type: 'ray_head',
    from: 'ray',
    pattern:
      /Failed to connect to GCS|GCS may have been killed|Could not find any running Ray instance|ray\.exceptions\.RaySystemError|Ray cluster at .* is (?:not reachable|down)/,
  },
  {
    type: 'ray_head',
    from: 'ray jobs',
    pattern: /Job supervisor actor (?:died|could not be scheduled|failed to start)|failed to get job supervisor/,
  },

  {
    type: 'nccl',
    from: 'torch',
    pattern:
      /Watchdog caught collective operation timeout|WorkNCCL\(.*timed out|detected by watchdog at work|NCCL (?:watchdog|communicator was aborted)|DistBackendError|NCCL error/,
  },
  {
    type: 'nccl',
    from: 'nccl',
    pattern: /\bnccl(?:System|Internal|Remote|UnhandledCuda)Error\b|NCCL WARN .*(?:failed|error|closed)/,
  },
  { type: 'nccl', from: 'gloo', pattern: /gloo\/transport\/.*(?:Connection (?:closed|reset) by peer|Timed out)/ },

  {
    type: 'auth',
    from: 'hugging face',
    pattern: /GatedRepoError|401 Client Error|403 Client Error|Invalid user token|Access to model .* is restricted/,
  },
  {
    type: 'auth',
    from: 'object stores',
    pattern: /\b(?:AccessDenied|ExpiredToken|InvalidAccessKeyId|NoCredentialsError)\b/,
  },
  {
    type: 'auth',
    from: 'wandb',
    pattern: /wandb\.errors\.\S*(?:AuthenticationError|UsageError: (?:api_key|No API key))/,
  },

  { type: 'data', from: 'arrow', pattern: /pyarrow\.lib\.Arrow(?:Invalid|TypeError)|Parquet magic bytes not found/ },
  { type: 'data', from: 'pillow', pattern: /PIL\.UnidentifiedImageError|image file is truncated/ },
  {
    type: 'data',
    from: 'datasets',
    pattern: /datasets\.(?:exceptions|table)\.\S*(?:DatasetGenerationError|CastError)/,
  },

  { type: 'config', from: 'torch', pattern: /Torch not compiled with CUDA enabled/ },
  {
    type: 'config',
    from: 'argparse',
    pattern: /: error: (?:unrecognized arguments|argument \S+: |the following arguments are required)/,
  },
  {
    type: 'config',
    from: 'pydantic, omegaconf, hydra',
    pattern: /pydantic_core\._pydantic_core\.ValidationError|omegaconf\.errors\.|hydra\.errors\./,
  },
  {
    type: 'config',
    from: 'transformers',
    pattern:
      /does not appear to have a file named|is not a (?:local folder|valid model identifier)|RepositoryNotFoundError|Repo id must be in the form|couldn't find them in the cached files|Unrecognized model in|size mismatch for /,
  },
  {
    type: 'config',
    from: 'vllm',
    pattern:
      /larger than the available KV cache memory|is greater than the derived max_model_len|Model architectures .* (?:are|is) not supported/,
  },

  { type: 'user_code', from: 'torch', pattern: /CUDA error: device-side assert triggered/ },
  {
    type: 'user_code',
    from: 'python',
    pattern:
      /^(?:TypeError|KeyError|IndexError|AttributeError|NameError|UnboundLocalError|AssertionError|NotImplementedError|ZeroDivisionError|ImportError|ModuleNotFoundError|RecursionError|SyntaxError|IndentationError)\b/,
  },
];
