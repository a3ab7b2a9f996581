import { atTurns, discountedPenalties, hasCodedanceForm, mathSources, writtenText } from './codedance-terms.ts';
import { type GradedEpisode, isCorrect, meanOf, type Reward, shown } from './reward.ts';
import { type ToolCall, toolCalls } from './tool-calls.ts';

const gamma = 4;
const beta = 0.2;
const stepWeight = 0.2;
const longAnswer = 1000;
const badTexts = ['Code executed successfully. No explicit output or figures produced.', 'Error', 'timeout'];

/** `d = (1 + tanh(γ (0.5 − mu))) / 2 − β`: twice as steep as the paper's, since `(1 + tanh x) / 2 = σ(2x)`. */
export const releasedDifficulty = (mu: number): number => (1 + Math.tanh(gamma * (0.5 - mu))) / 2 - beta;

/** The released code searches the tool's message, so that printing "Error bars" is a failure. */
const isBad = ({ reply }: ToolCall): boolean => badTexts.some((text) => reply.includes(text));

const isMath = ({ episode }: GradedEpisode): boolean => mathSources.includes(episode.task.dataSource);

const hasMathForm = (member: GradedEpisode): boolean => {
  const text = writtenText(member);
  const last = text.split('</think>').at(-1) ?? '';
  return (
    text.split('<think>').length === text.split('</think>').length &&
    !last.includes('tool_call') &&
    /<answer>[\s\S]*?<\/answer>/.test(last)
  );
};

interface Outcome {
  readonly accuracy: number;
  readonly format: number;
  readonly why: string;
}

const outcomeOf = (member: GradedEpisode): Outcome => {
  const why = `${member.grade.verdict}: ${member.grade.reason}`;
  const right = isCorrect(member) ? 1 : 0;
  if (isMath(member)) return { accuracy: 1.2 * right, format: hasMathForm(member) ? 0 : -0.4, why };
  if ((member.episode.answer ?? '').length >= longAnswer)
    return { accuracy: 0, format: -0.2, why: `an answer of ${longAnswer} characters or more` };
  return { accuracy: right, format: hasCodedanceForm(member) ? 0 : -0.2, why };
};

const toolComponent = (member: GradedEpisode, accuracy: number): { readonly value: number; readonly why: string } => {
  const calls = toolCalls(member);
  if (calls.length === 0) return { value: 0, why: 'no calls' };
  const share = calls.filter((call) => !isBad(call)).length / calls.length;
  const [right, wrong] = isMath(member) ? [2, 1] : [1.5, 0.5];
  const factor = accuracy > 0.5 ? right : wrong;
  return { value: factor * share, why: `${factor} times ${shown(share)} of the calls without a bad text` };
};

/** Discounted penalties of all calls of the batch, standardised (`BatchRewardManager`), times the 0.2 of the trainer. */
const standardisedTurns: NonNullable<Reward['turns']> = (groups) => {
  const all = groups.map((group) =>
    group.map((member) => {
      const calls = toolCalls(member);
      return { member, calls, values: discountedPenalties(calls.map(isBad)) };
    }),
  );
  const values = all.flat().flatMap((entry) => entry.values);
  const mean = meanOf(values);
  const deviation = Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
  const standardise = (value: number): number => (deviation > 1e-8 ? (value - mean) / deviation : value);
  return all.map((group) =>
    group.map((entry) =>
      atTurns(
        entry.member,
        entry.calls,
        entry.values.map((value) => stepWeight * standardise(value)),
      ),
    ),
  );
};

/**
 * CodeDance as its code does it (CodeDance-VL/CodeDance 62f8c6f: `llm_judge_qwen_tool_step.py`, `reward_manager/batch.py`,
 * `ray_trainer.py`), with what differs from the paper: `tanh`, a component that pays 1.5 or 0.5 a success, `mu` as the
 * mean of scores instead of accuracies, success by searching texts, and values of turns standardised over the batch.
 * Its clip of `d` for episodes above the mean comes after `d` was used and does nothing. Unlike there, an outage is
 * masked, and the verdict is ours.
 */
export const codedanceReleased: Reward = {
  terms: {
    accuracy: { range: [0, 1.2], what: '1 for a right answer, 1.2 in mathematics', source: 'compute_score_*' },
    format: { range: [-0.4, 0], what: '−0.2, in mathematics −0.4, for a bad form', source: 'compute_score_*' },
    tool: {
      range: [-0.4, 1.6],
      what: 'd c, d = (1 + tanh(4 (0.5 − mu))) / 2 − 0.2, mu the mean of accuracy + format, c = 1.5 s or 0.5 s by the verdict (2 s or s in mathematics)',
      source: 'compute_tool_step',
    },
  },
  score: (group) => {
    const outcomes = group.map(outcomeOf);
    const mu = meanOf(outcomes.map(({ accuracy, format }) => accuracy + format));
    const difficulty = releasedDifficulty(mu);
    return group.map((member, index) => {
      const { accuracy, format, why } = outcomes[index] ?? { accuracy: 0, format: 0, why: '' };
      const component = toolComponent(member, accuracy);
      return {
        accuracy: { value: accuracy, why },
        format: { value: format, why: format === 0 ? 'well formed' : 'a bad form' },
        tool: {
          value: component.value === 0 ? 0 : difficulty * component.value,
          why: `mean score ${shown(mu)}, d ${shown(difficulty)}, c = ${component.why}`,
        },
      };
    });
  },
  turns: standardisedTurns,
};
