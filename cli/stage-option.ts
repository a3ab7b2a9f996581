import { LensmithError } from '../domain/errors.ts';
import { hintFor } from '../domain/nearest.ts';
import { type StageName, stageNameSchema, stageNames } from '../domain/stage.ts';

/**
 * The stage that `--from` names; null without one.
 *
 * @throws LensmithError `config` with the stage that was probably meant.
 */
export const stageOption = (text: string | undefined): StageName | null => {
  if (text === undefined) return null;
  const parsed = stageNameSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new LensmithError('config', `there is no stage "${text}"; ${hintFor(text, stageNames)}`, { where: '--from' });
};
