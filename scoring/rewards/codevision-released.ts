import type { Box } from '../../domain/image-location.ts';
import { cropBoxes } from '../code/crop-boxes.ts';
import { coreOperations, namedOperations, orientationOperations } from '../code/named-operations.ts';
import { intersectionOverUnion } from '../effects/box.ts';
import { hasCodevisionForm } from './codevision-form.ts';
import { requiredOperations } from './required-operations.ts';
import { type GradedEpisode, isCorrect, type Reward, shown, type Terms } from './reward.ts';
import { toolCalls } from './tool-calls.ts';

const penaltyWeight = 0.5;
const countedCalls = 50;
const core: ReadonlySet<string> = new Set(coreOperations);

const number = String.raw`\s*(-?[\d.]+)\s*`;
const fourNumbers = `${number},${number},${number},${number}`;
const describedBox = new RegExp(String.raw`\[${fourNumbers}\]|\(${fourNumbers}\)`);

interface Detected {
  readonly used: Set<string>;
  readonly boxes: Box[];
}

const describedOperations = (description: string): string[] => [
  ...(description.includes('horizontal') && /flip|mirror/.test(description) ? ['flip_horizontal'] : []),
  ...(description.includes('vertical') && description.includes('flip') ? ['flip_vertical'] : []),
  ...(description.includes('crop') ? ['crop'] : []),
];

const boxesOf = (description: string): Box[] => {
  const [left, top, right, bottom] = (describedBox.exec(description) ?? []).slice(1).filter(Boolean).map(Number);
  return left === undefined || top === undefined || right === undefined || bottom === undefined
    ? []
    : [[left, top, right, bottom]];
};

const detect = (member: GradedEpisode): Detected => {
  const used = new Set<string>();
  const boxes: Box[] = [];
  for (const { call } of toolCalls(member)) {
    // The description of a call is free text; the released code believes it.
    const description = call.description?.toLowerCase() ?? '';
    const inCode = cropBoxes(call.code);
    if (inCode.length > 0) used.add('crop');
    for (const operation of [...namedOperations(call.code), ...describedOperations(description)]) used.add(operation);
    boxes.push(...(inCode.length > 0 ? inCode : boxesOf(description)));
  }
  return { used, boxes };
};

const listed = (names: Iterable<string>): string => [...names].join(', ') || 'none';

const termsOf = (member: GradedEpisode): Terms => {
  const { names: expected, box } = requiredOperations(member.episode.task);
  const { used, boxes } = detect(member);
  const overlap = box ? Math.max(0, ...boxes.map((found) => intersectionOverUnion(box, found))) : 0;
  const plain = [...expected].filter((name) => name !== 'crop' && used.has(name)).length;
  const cropped = expected.has('crop') && used.has('crop') ? overlap : 0;
  const mandatory = expected.size === 0 ? 0 : Math.min(1, (plain + cropped) / expected.size);

  const right = isCorrect(member) ? 1 : 0;
  const gated = expected.has('crop') && mandatory < 0.1;
  const formed = hasCodevisionForm(member);
  const [expectedCore, usedCore] = [
    [...expected].filter((name) => core.has(name)),
    [...used].filter((name) => core.has(name)),
  ];
  const exact =
    expectedCore.length > 0 && expectedCore.length === usedCore.length && expectedCore.every((name) => used.has(name));
  const extra = [...used].filter((name) => !core.has(name));
  const calls = Math.min(countedCalls, toolCalls(member).length);
  const allowed = Math.max(2, expected.size);
  const spurious = orientationOperations.some((name) => expected.has(name))
    ? []
    : usedCore.filter((name) => name !== 'crop');
  return {
    accuracy: {
      value: gated ? right * mandatory : right,
      why: `${member.grade.verdict}: ${member.grade.reason}${gated ? `; times ${shown(mandatory)}, for the crop was missed` : ''}`,
    },
    format: { value: formed ? 0.1 : 0, why: formed ? 'well formed' : 'a bad form' },
    mandatory: {
      value: mandatory,
      why: `required ${listed(expected)}; named ${listed(used)}; best overlap ${shown(overlap)}`,
    },
    exact: {
      value: exact ? 0.1 : 0,
      why: exact ? 'exactly the required operations are named' : 'not exactly those required',
    },
    emerging: { value: right && extra.length > 0 ? 0.2 : 0, why: `further operations: ${listed(extra)}` },
    usage: {
      value: calls > allowed ? -penaltyWeight * (calls - allowed) : 0,
      why: `calls: ${calls}, free: ${allowed}`,
    },
    spurious: {
      value: spurious.length > 0 ? -penaltyWeight * spurious.length : 0,
      why: `named though none is required: ${listed(spurious)}`,
    },
  };
};

/**
 * CodeVision as its code does it (ByteDance-BandAI/CodeVision e098588, `agent_loop.py` and `tool_use_judge.py` with the
 * weights of `qwen3_vl.sh`: α 1, β 0, γ 0.5, format 0.1, emerging 0.2). Operations and boxes are read from the text of
 * code and descriptions, whether or not they ran, and boxes are compared whatever image they are of. The necessity term
 * has the weight 0 and is left out; so is the language model that is asked where the patterns find nothing.
 */
export const codevisionReleased: Reward = {
  terms: {
    accuracy: {
      range: [0, 1],
      what: '1 for a right answer, times `mandatory` where a required crop was missed',
      source: 'r_acc',
    },
    format: { range: [0, 0.1], what: '0.1 for thoughts and one answer at the end', source: 'fmt_weight r_fmt' },
    mandatory: {
      range: [0, 1],
      what: 'share of the required operations that are named; the crop counts by its best overlap',
      source: 'α r_mandatory',
    },
    exact: { range: [0, 0.1], what: '0.1 where no other core operation is named', source: 'r_exact' },
    emerging: { range: [0, 0.2], what: '0.2 for a right answer with any other operation', source: 'r_emerge' },
    usage: { range: [-24, 0], what: '−0.5 a call beyond max(2, required); fifty calls count', source: 'γ c_usage' },
    spurious: { range: [-2.5, 0], what: '−0.5 an orientation where none is required', source: 'γ r_spurious' },
  },
  score: (group) => group.map(termsOf),
};
