import type { RewardName } from '../../domain/score.ts';
import { accuracyReward } from './accuracy.ts';
import { codedancePaper } from './codedance-paper.ts';
import { codedanceReleased } from './codedance-released.ts';
import { codevisionPaper } from './codevision-paper.ts';
import { codevisionReleased } from './codevision-released.ts';
import { lensmithReward } from './lensmith.ts';
import type { Reward } from './reward.ts';

/** The rewards by the names of the run spec. */
export const rewards: Readonly<Record<RewardName, Reward>> = {
  lensmith: lensmithReward,
  accuracy: accuracyReward,
  'codedance-paper': codedancePaper,
  'codedance-released': codedanceReleased,
  'codevision-paper': codevisionPaper,
  'codevision-released': codevisionReleased,
};
