import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Find a run's workflows: `LensmithRun = "miniature-20260102-030405"`. */
export const runAttribute = defineSearchAttributeKey('LensmithRun', SearchAttributeType.KEYWORD);
/** The stage that a run is in. */
export const stageAttribute = defineSearchAttributeKey('LensmithStage', SearchAttributeType.KEYWORD);
/** What became of a run's best checkpoint: `promoted`, `held`, `forced`. */
export const verdictAttribute = defineSearchAttributeKey('LensmithVerdict', SearchAttributeType.KEYWORD);
