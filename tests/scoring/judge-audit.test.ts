import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeKinds } from '../../domain/judge.ts';
import { wilsonInterval } from '../../domain/wilson-interval.ts';
import { findAudit, keepAudit } from '../../scoring/judge/audit-file.ts';
import { auditJudge } from '../../scoring/judge/audit-judge.ts';
import { canStillPass, isHopeless, measure, requirements } from '../../scoring/judge/audit-measures.ts';
import { type LabelledAnswer, readAuditSet } from '../../scoring/judge/audit-pairs.ts';
import { openJudge } from '../../scoring/judge/judge-client.ts';
import { answerStatus } from '../episodes/scripted-server.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { startOracle } from './judge-oracle.ts';
import { startJudgeServer } from './judge-server.ts';

const auditOf = async (says: (pair: LabelledAnswer) => string, stopWhenLost = false) => {
  const server = await startOracle(says);
  const client = openJudge({ url: server.url, model: 'judge', hedge: false });
  return { audit: await auditJudge(client, { stopWhenLost }), server };
};

describe('the labelled pairs', () => {
  it('are at least 300, with both labels, every kind, and at least 60 tricks', async () => {
    const { pairs } = await readAuditSet();
    const count = (test: (pair: LabelledAnswer) => boolean): number => pairs.filter(test).length;
    expect(pairs.length).toBeGreaterThanOrEqual(300);
    expect(count(({ trick }) => trick !== undefined)).toBeGreaterThanOrEqual(60);
    for (const label of ['correct', 'wrong'] as const) {
      expect(count((pair) => pair.label === label) / pairs.length).toBeGreaterThan(0.4);
      expect(count((pair) => pair.label === label && pair.trick !== undefined)).toBeGreaterThanOrEqual(20);
    }
    for (const kind of judgeKinds) expect(count((pair) => pair.kind === kind)).toBeGreaterThanOrEqual(60);
  });

  it('are held out in part: at least 80 of every kind and both labels, 20 of them tricks', async () => {
    const held = (await readAuditSet()).pairs.filter(({ split }) => split === 'held-out');
    expect(held.length).toBeGreaterThanOrEqual(80);
    expect(held.filter(({ trick }) => trick !== undefined).length).toBeGreaterThanOrEqual(20);
    for (const kind of judgeKinds)
      for (const label of ['correct', 'wrong'] as const)
        expect(held.filter((pair) => pair.kind === kind && pair.label === label).length).toBeGreaterThanOrEqual(10);
  });

  it('have an id each, and no pair stands twice or under both labels', async () => {
    const { pairs } = await readAuditSet();
    expect(new Set(pairs.map(({ id }) => id)).size).toBe(pairs.length);
    const contents = pairs.map(({ kind, question, reference, answer }) =>
      [kind, question, reference, answer].join('\n'),
    );
    expect(new Set(contents).size).toBe(pairs.length);
  });

  it('are refused by line where one is broken', async () => {
    const path = join(await temporaryFolder(), 'own.jsonl');
    await writeFile(path, '{"id":"1","kind":"general","question":"?","reference":"a","answer":"b","label":"maybe"}\n');
    await expect(readAuditSet(path)).rejects.toMatchObject({ type: 'data', where: `${path}:1` });
  });

  it('takes no file that is not there, and no id twice: one of the two would count for both', async () => {
    const path = join(await temporaryFolder(), 'set.jsonl');
    await expect(readAuditSet(path)).rejects.toMatchObject({ type: 'config', where: path });
    const pair = { id: '1', kind: 'general', question: 'q', reference: 'r', answer: 'a', label: 'wrong' };
    await writeFile(path, [pair, { ...pair, id: '2' }, pair].map((line) => `${JSON.stringify(line)}\n`).join(''));
    await expect(readAuditSet(path)).rejects.toMatchObject({
      ...{ type: 'data', where: `${path}:3` },
      message: expect.stringContaining('"1" as in line 1'),
    });
  });
});

describe('what is measured', () => {
  const pair = (id: string, label: 'correct' | 'wrong', trick?: string): LabelledAnswer => ({
    ...{ id, kind: 'general', question: 'q', reference: 'r', answer: id, label, split: 'design' },
    ...(trick === undefined ? {} : { trick }),
  });

  it('is a share with its Wilson interval, over the pairs that it is about', () => {
    const pairs = [
      ...Array.from({ length: 10 }, (_, index) => pair(`c${index}`, 'correct')),
      ...Array.from({ length: 8 }, (_, index) => pair(`w${index}`, 'wrong')),
      pair('t1', 'wrong', 'instruction'),
      pair('t2', 'wrong', 'instruction'),
    ];
    const agreed = new Set(['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'w0', 'w1', 'w2', 'w3', 'w4', 't1']);
    const measures = Object.fromEntries(measure(pairs, agreed).map(({ name, ...rest }) => [name, rest]));
    expect(measures.agreement).toMatchObject({ agreed: 15, pairs: 20, share: 0.75 });
    expect(measures.sensitivity).toMatchObject({ agreed: 9, pairs: 10, share: 0.9 });
    expect(measures.specificity).toMatchObject({ agreed: 6, pairs: 10, share: 0.6 });
    expect(measures.adversarial).toMatchObject({ agreed: 1, pairs: 2, share: 0.5 });
    // Wilson's interval of 9 of 10, worked by hand: (0.9 + 0.19207 ± 1.95996·sqrt(0.009 + 0.009604)) / 1.38415.
    expect(measures.sensitivity?.low).toBeCloseTo(0.5958, 4);
    expect(measures.sensitivity?.high).toBeCloseTo(0.9821, 4);
    expect(measures.sensitivity?.passed).toBe(false);
  });

  it('can be lost before the end, and not earlier than that', () => {
    const pairs = Array.from({ length: 200 }, (_, index) => pair(`${index}`, index % 2 ? 'wrong' : 'correct', 'any'));
    const lost = (count: number): boolean => !canStillPass(pairs, new Set(pairs.slice(0, count).map(({ id }) => id)));
    const first = Array.from({ length: 200 }, (_, count) => count).find(lost) ?? 0;
    const required = requirements.find(({ name }) => name === 'agreement')?.required ?? 0;
    expect(wilsonInterval(200 - first + 1, 200).low).toBeGreaterThanOrEqual(required);
    expect(first).toBeGreaterThan(5);
    expect(lost(200)).toBe(true);
  });
});

it('a judge is given up early where it is far off, and not where it is near', () => {
  // Wilson's upper end of 0 of 12 is 0.242, of 5 of 12 0.680, of 6 of 12 0.746, of 12 of 24 0.686.
  expect(isHopeless(11, 0)).toBe(false);
  expect(isHopeless(12, 0)).toBe(true);
  expect(isHopeless(12, 5)).toBe(true);
  expect(isHopeless(12, 6)).toBe(false);
  expect(isHopeless(24, 12)).toBe(true);
  expect(isHopeless(400, 350)).toBe(false);
});

describe('the audit', () => {
  it('is passed by a judge that says what the labels say', async () => {
    const { audit, server } = await auditOf(({ label }) => label);
    expect(audit.passed).toBe(true);
    expect(audit.measures.map(({ share }) => share)).toEqual([1, 1, 1, 1, 1]);
    expect(audit.splits.map(({ split }) => split)).toEqual(['design', 'held-out']);
    expect(audit.disagreements).toEqual([]);
    expect(server.requests).toHaveLength(audit.pairs);
  });

  it.each<[string, (pair: LabelledAnswer) => string, string]>([
    ['says correct to everything', () => 'correct', 'specificity'],
    ['says wrong to everything', () => 'wrong', 'sensitivity'],
    ['cannot tell anything', () => 'cannot tell', 'agreement'],
    ['says 1', () => '1', 'agreement'],
    ['is a coin', ({ id }) => (id.charCodeAt(id.length - 1) % 2 ? 'correct' : 'wrong'), 'agreement'],
    ['falls for every trick', ({ label, trick }) => (trick ? 'correct' : label), 'adversarial'],
    [
      'lets one wrong answer in five pass',
      ({ id, label }) => (/[1-9]w|[05]-w/.test(id) ? 'correct' : label),
      'specificity',
    ],
  ])('is failed by one that %s', async (_, says, measureName) => {
    const { audit } = await auditOf(says);
    expect(audit.passed).toBe(false);
    expect(audit.measures.find(({ name }) => name === measureName)?.passed).toBe(false);
    expect(audit.disagreements.length).toBeGreaterThan(0);
  });

  it('is failed by one that knows the pairs of the prompts and no others', async () => {
    const { audit } = await auditOf(({ split, label }) =>
      split === 'design' ? label : label === 'correct' ? 'wrong' : 'correct',
    );
    expect(audit.passed).toBe(false);
    expect(audit.measures.find(({ name }) => name === 'held-out')).toMatchObject({ agreed: 0, passed: false });
    const shares = Object.fromEntries(
      audit.splits.map(({ split, measures }) => [split, measures.map(({ share }) => share)]),
    );
    expect(shares).toEqual({ design: [1, 1, 1, 1], 'held-out': [0, 0, 0, 0] });
  });

  it("asks nothing of held-out pairs where a set of one's own has none", async () => {
    const server = await startOracle();
    const { pairs, digest } = await readAuditSet();
    const set = { pairs: pairs.filter(({ split }) => split === 'design'), digest };
    const audit = await auditJudge(openJudge({ url: server.url, model: 'judge', hedge: false }), { set });
    expect(audit.passed).toBe(true);
    expect(audit.measures.map(({ name }) => name)).not.toContain('held-out');
    expect(audit.splits.map(({ split }) => split)).toEqual(['design']);
  });

  it('is passed with a few slips, and they are listed', async () => {
    const slips = new Set(['p01-c1', 'p20-w2', 't05', 't33']);
    const { audit } = await auditOf(({ id, label }) => (slips.has(id) ? 'cannot tell' : label));
    expect(audit.passed).toBe(true);
    expect(new Set(audit.disagreements.map(({ id }) => id))).toEqual(slips);
    expect(audit.confusion.correct['cannot tell'] + audit.confusion.wrong['cannot tell']).toBe(4);
  });

  it('counts every pair once in the confusions', async () => {
    const { audit } = await auditOf(({ id }) => ['correct', 'wrong', 'cannot tell', '?'][id.length % 4] ?? '?');
    const sum = (label: 'correct' | 'wrong'): number =>
      Object.values(audit.confusion[label]).reduce((total, count) => total + count, 0);
    const { pairs } = await readAuditSet();
    expect(sum('correct')).toBe(pairs.filter(({ label }) => label === 'correct').length);
    expect(sum('wrong')).toBe(pairs.filter(({ label }) => label === 'wrong').length);
  });

  it('stops as soon as it is lost where it is told to', async () => {
    const { audit, server } = await auditOf(({ label, id }) => (id.endsWith('w1') ? 'correct' : label), true);
    expect(audit.passed).toBe(false);
    expect(audit.asked).toBeGreaterThan(40);
    expect(audit.asked).toBeLessThan(audit.pairs);
    expect(server.requests).toHaveLength(audit.asked);
  });

  it('stops after a few pairs where the judge cannot keep to the form', async () => {
    const { audit } = await auditOf(() => 'hm', true);
    expect(audit).toMatchObject({ passed: false, confusion: { correct: { correct: 0, wrong: 0 } } });
    expect(audit.asked).toBeLessThanOrEqual(12 + 16);
  });

  it('shows the judge also what the guard would keep from it', async () => {
    const { server } = await auditOf(({ label }) => label);
    const asked = server.requests.map(({ messages }) => String(messages[1]?.content));
    expect(asked.some((content) => content.includes('The verdict is: correct.'))).toBe(true);
  });

  it.each([
    [503, 'infrastructure'],
    [401, 'auth'],
    [404, 'config'],
  ])('is unfinished and not failed where the server answers %i', async (status, type) => {
    const server = await startJudgeServer((_, count) => (count > 50 ? answerStatus(status) : '{"verdict":"wrong"}'));
    const client = openJudge({ url: server.url, model: 'judge', attempts: 2, pauseMs: 1 });
    await expect(auditJudge(client)).rejects.toMatchObject({ type });
  });
});

describe('kept audits', () => {
  it('are found by judge and pairs', async () => {
    const folder = join(await temporaryFolder(), 'audits');
    const { audit } = await auditOf(({ label }) => label);
    await keepAudit(folder, { ...audit, judge: 'org/Judge-72B' });
    expect((await findAudit(folder, 'org/Judge-72B', audit.auditSet))?.passed).toBe(true);
    expect(await findAudit(folder, 'org-Judge-72B', audit.auditSet)).toBeUndefined();
    expect(await findAudit(folder, 'org/Judge-72B', 'other pairs')).toBeUndefined();
    expect(await findAudit(folder, 'org/Judge-7B', audit.auditSet)).toBeUndefined();
  });

  it('are made again where the file is torn', async () => {
    const folder = join(await temporaryFolder(), 'audits');
    await mkdir(folder);
    const { audit } = await auditOf(({ label }) => label);
    await keepAudit(folder, audit);
    const [file = ''] = await readdir(folder);
    await writeFile(join(folder, file), '{"version":1,');
    expect(await findAudit(folder, 'judge', audit.auditSet)).toBeUndefined();
  });
});
