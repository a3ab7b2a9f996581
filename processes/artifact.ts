export { listCheckpoints, newestCheckpoint } from './checkpoints.ts';
export { publishArtifact } from './publish-artifact.ts';
export { type Verification, verifyArtifact } from './verify-artifact.ts';
