import { writtenText } from './codedance-terms.ts';
import type { GradedEpisode } from './reward.ts';

/** Begins with a thought, thoughts are closed, one answer, and it ends the reply (`UVTRRewardManager`). */
export const hasCodevisionForm = (member: GradedEpisode): boolean => {
  const text = writtenText(member).trim();
  const [open, closed] = [text.split('<think>').length - 1, text.split('</think>').length - 1];
  if (!text.startsWith('<think>') || open !== closed || open === 0) return false;
  if (text.split('<answer>').length !== 2 || !/<answer>[\s\S]*?<\/answer>$/.test(text)) return false;
  const answerAt = text.indexOf('<answer>');
  return [...text.matchAll(/<think>[\s\S]*?<\/think>/g)].every(
    ({ 0: thought, index }) => answerAt < index || answerAt >= index + thought.length,
  );
};
