import type { RewardName } from '../../domain/score.ts';
import { accuracyReward } from './accuracy.ts';
import { lensmithReward } from './lensmith.ts';
import type { Reward } from './reward.ts';

/** The rewards by the names of the run spec. */
export const rewards: Readonly<Record<RewardName, Reward>> = { lensmith: lensmithReward, accuracy: accuracyReward };
