import { setImmediate } from 'node:timers/promises';
import type { Episode } from '../domain/episode.ts';
import type { EpisodeScore, ScoreRequest, ScoreResponse } from '../domain/score.ts';
import type { Locator } from './effects/locator.ts';
import type { JudgeGrade } from './judge/judge-client.ts';
import type { GradedEpisode } from './rewards/reward.ts';
import { rewards } from './rewards/rewards.ts';
import { scoreGroups } from './rewards/score-group.ts';
import { digestsOf, scoredImages } from './scored-images.ts';

export interface ScoreTools {
  readonly grade: (episode: Episode) => Promise<JudgeGrade>;
  readonly locator: Locator;
}

/** Groups that are graded before others get their turn on the event loop. */
const groupsAtOnce = 32;

/**
 * Grades and scores the groups of a request. The pixels that came with it are looked at where the reward wants them
 * for the task and all of an episode's images are there.
 *
 * @throws LensmithError `data` where an image is not what its digest says, `infrastructure` where a tool is away.
 */
export const scoreBatch = async (
  { reward: name, groups, images }: ScoreRequest,
  { grade, locator }: ScoreTools,
): Promise<ScoreResponse> => {
  const reward = rewards[name];
  const bytes = await scoredImages(images);

  const ofJudge = new Map<Episode, Pick<EpisodeScore, 'cached' | 'awaitsJudge'>>();

  const graded = async (episode: Episode): Promise<GradedEpisode> => {
    const digests = [...new Set(digestsOf(episode))];
    const pixels = new Map(
      digests.flatMap((digest) => {
        const image = bytes.get(digest);
        return image ? [[digest, image] as const] : [];
      }),
    );
    const wanted = reward.usesPixels?.(episode.task) && digests.length > 0 && pixels.size === digests.length;
    const [{ cached, awaitsJudge, ...verdict }, locations] = await Promise.all([
      grade(episode),
      wanted ? locator.locate(episode, pixels) : undefined,
    ]);
    ofJudge.set(episode, {
      ...(cached === undefined ? {} : { cached }),
      ...(awaitsJudge === undefined ? {} : { awaitsJudge }),
    });
    return { episode, grade: verdict, locations };
  };

  const all: GradedEpisode[][] = [];
  for (let start = 0; start < groups.length; start += groupsAtOnce) {
    const some = groups.slice(start, start + groupsAtOnce);
    all.push(...(await Promise.all(some.map((group) => Promise.all(group.map(graded))))));
    await setImmediate();
  }
  const scores = scoreGroups(reward, all);
  return {
    groups: groups.map((group, index) =>
      group.flatMap((episode, place) => {
        const score = scores[index]?.[place];
        return score ? [{ ...score, ...ofJudge.get(episode) }] : [];
      }),
    ),
  };
};
