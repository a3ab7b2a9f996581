export {
  type CheckpointFolder,
  examineCheckpoints,
  findResumePoint,
  listCheckpoints,
  newestCheckpoint,
  type ResumePoint,
} from './checkpoints.ts';
export { publishArtifact } from './publish-artifact.ts';
export { type Verification, verifyArtifact } from './verify-artifact.ts';
