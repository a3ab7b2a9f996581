export { benchmarkSuite as 'benchmark-suite' } from './benchmark-suite.ts';
export { evaluateCheckpoint as 'evaluate-checkpoint' } from './evaluate-checkpoint.ts';
export { gpuPool as 'gpu-pool' } from './gpu-pool.ts';
export { nightlyEvaluation as 'nightly-evaluation' } from './nightly-evaluation.ts';
export { notifyRun as 'notify-run' } from './notify-run.ts';
export { serveModel as 'serve-model' } from './serve-model.ts';
export { trainPipeline as 'train-pipeline' } from './train-pipeline.ts';
