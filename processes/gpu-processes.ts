import { runTool } from './run-tool.ts';

/** Ids of the processes that hold memory of a GPU of this host; undefined where no driver tells. */
export const gpuProcessIds = async (): Promise<number[] | undefined> => {
  try {
    const text = await runTool('nvidia-smi', ['--query-compute-apps=pid', '--format=csv,noheader']);
    return text.split('\n').flatMap((line) => (/^\s*\d+\s*$/.test(line) ? [Number(line)] : []));
  } catch {
    // There is no NVIDIA driver here.
    return undefined;
  }
};
