import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addCheckpointEvent } from '../../activities/checkpoint-events.ts';
import { writeReport } from '../../activities/write-report.ts';
import { summarySchema } from '../../domain/summary.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { hostile, makeRun, samples } from './made-run.ts';

const written = async () => {
  const home = await temporaryFolder();
  const { run, input } = await makeRun(home);
  const { report, summary } = await writeReport()(run, input);
  return {
    home,
    run,
    input,
    page: await readFile(report, 'utf8'),
    summary: summarySchema.parse(JSON.parse(await readFile(summary, 'utf8'))),
  };
};

/** The text of the first element that follows a place in the page. */
const textAfter = (page: string, place: string, element: string): string | undefined =>
  new RegExp(`<${element}[^>]*>(.*?)</${element}>`, 's').exec(page.slice(page.indexOf(place)))?.[1];

describe('the page', () => {
  it('shows the figures of the models, their intervals and the paired gain', async () => {
    const { page } = await written();
    expect(textAfter(page, 'Base, test accuracy', 'b')).toBe('25.0 %');
    expect(textAfter(page, 'SFT, test accuracy', 'b')).toBe('50.0 %');
    expect(textAfter(page, 'RL, test accuracy', 'b')).toBe('75.0 %');
    // Wilson's interval of 9 of 12.
    expect(textAfter(page, 'RL, test accuracy', 'small')).toBe('95 % interval 46.8 to 91.1');
    expect(textAfter(page, 'Gain of RL over SFT', 'b')).toBe('+25.0 points');
    // McNemar's exact test of 0 against 3.
    expect(textAfter(page, 'Gain of RL over SFT', 'small')).toContain('p = 0.250');
    expect(textAfter(page, 'Tool calls an episode', 'b')).toBe('0.00 → 1.00 → 1.00');
    expect(textAfter(page, 'Execution success', 'b')).toBe('– → 100.0 → 100.0');
  });

  it('names the decision with its reason, the checkpoint, and what the figures depend on', async () => {
    const { page, home } = await written();
    expect(page).toContain('<b>forced</b>');
    expect(page).toContain('No detectable gain over SFT: as wanted.');
    expect(page).toContain(join(home, 'promoted', 'made.json'));
    expect(page).toContain('isolation: namespaces');
    expect(page).toContain('test 0 to 9999');
    expect(page).toContain(`Rules decided every one of ${5 * samples} answers. The judge tiny-judge was not served`);
  });

  it('draws the curves of a cached stage from the run that made it, without its torn line', async () => {
    const { page, home } = await written();
    expect(page).toContain(
      `${join(home, 'earlier', 'stages', 'rl', 'metrics.jsonl')}</code> (lines that could not be read: 1)`,
    );
    expect(textAfter(page, '<figcaption>Reward', 'span')).toBe('0.5');
    expect(page).toContain('<figcaption>sft: loss');
    expect(page).not.toContain('<figcaption>base-model: loss');
  });

  it('draws the episodes that the judge decided or left open, where there were any', async () => {
    const { page, home, run, input } = await written();
    const title = '<figcaption>Episodes a step that the judge decided, and masked ones';
    expect(page).not.toContain(title);
    const file = join(home, 'earlier', 'stages', 'rl', 'metrics.jsonl');
    const [line = ''] = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, `${line}\n${JSON.stringify({ ...JSON.parse(line), step: 2, masked: 3, judged: 5 })}\n`);
    const { report } = await writeReport()(run, input);
    expect(textAfter(await readFile(report, 'utf8'), title, 'span')).toBe('3 masked');
  });

  it('shows what the attempts held, by what came of it', async () => {
    const { page } = await written();
    const section = page.slice(page.indexOf('Hours of processor slots'));
    // Twice 20, 6 and 10 seconds.
    const row = section.slice(section.indexOf('<td>2 slots</td>')).split('</tr>')[0] ?? '';
    expect([...row.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, cell]) => cell)).toEqual([
      '2 slots',
      'preemption',
      '40 s',
      '12 s',
      '–',
      '20 s',
      '–',
      '72 s',
    ]);
  });

  it('shows a checkpoint that was deleted after its evaluation', async () => {
    const home = await temporaryFolder();
    const { run, input } = await makeRun(home);
    const [deleted, ...others] = input.checkpoints;
    if (!deleted) throw new Error('expected a checkpoint');
    await writeFile(join(deleted.record.artifact.path, 'result.json'), JSON.stringify(deleted.record.result));
    const folder = dirname(input.rl.artifact.path);
    await mkdir(folder, { recursive: true });
    const event = { step: deleted.step, digest: 'd', at: 1 };
    const evaluation = deleted.record.artifact.path;
    await addCheckpointEvent(folder, {
      kind: 'evaluated',
      ...event,
      accuracy: 0.5,
      toolCallsPerEpisode: 1,
      evaluation,
    });
    await addCheckpointEvent(folder, { kind: 'pruned', ...event });
    const { summary } = await writeReport()(run, { ...input, checkpoints: others });
    const { evaluations } = summarySchema.parse(JSON.parse(await readFile(summary, 'utf8')));
    const steps = evaluations.filter(({ dataset, family }) => dataset === 'validation' && family === 'all');
    expect(steps.map(({ checkpoint }) => checkpoint)).toEqual(['checkpoint-2', 'checkpoint-4']);
  });

  it('keeps what a model wrote as text', async () => {
    const { page } = await written();
    expect(page).not.toContain('<script');
    expect(page).toContain(hostile.replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'));
  });

  it('loads nothing: its pictures are in it, and nothing points out of it', async () => {
    const { page } = await written();
    const sources = [...page.matchAll(/\b(?:src|href|srcset|action|data)\s*=\s*"([^"]*)"/g)].map(
      ([, url]) => url ?? '',
    );
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.filter((url) => !url.startsWith('data:image/png;base64,'))).toEqual([]);
    expect(page).not.toMatch(/@import|url\(|<link|<iframe|<object/);
    expect(page).toContain(Buffer.from('not much of a picture').toString('base64'));
  });

  it('has no number that is none, and closes what it opens', async () => {
    const { page } = await written();
    expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
    for (const element of ['section', 'figure', 'svg', 'table', 'article', 'p', 'dl', 'div', 'tr', 'td'])
      expect(page.split(new RegExp(`<${element}[ >]`)).length, element).toBe(page.split(`</${element}>`).length);
  });
});

describe('the summary', () => {
  it('holds every slice of every evaluation and the true states of the stages', async () => {
    const { summary } = await written();
    expect(
      summary.evaluations.filter(({ family }) => family === 'all').map(({ model, accuracy }) => [model, accuracy]),
    ).toEqual([
      ['rl', 7 / 12],
      ['rl', 9 / 12],
      ['base', 3 / 12],
      ['sft', 6 / 12],
      ['rl', 9 / 12],
    ]);
    expect(summary.stages.find(({ name }) => name === 'sft')).toEqual({
      name: 'sft',
      state: 'completed',
      attempts: 1,
      seconds: 60,
    });
    expect(summary.stages.find(({ name }) => name === 'rl')).toMatchObject({ state: 'cached', attempts: 0 });
    expect(summary.stages.find(({ name }) => name === 'report')).toMatchObject({ state: 'completed', attempts: 1 });
    expect(summary.promoted).toMatchObject({ checkpoint: 'checkpoint-4', decision: 'forced' });
    expect(summary.judge).toMatchObject({ model: 'tiny-judge', decided: 0 });
    expect(summary.isolation).toBe('namespaces');
    expect(summary.hours).toMatchObject({
      totals: [{ unit: 'cpu-slot', total: 0.02 }],
      attempts: [{ stage: 'sft', attempt: 1, count: 2, ending: 'preemption' }],
      budget: null,
    });
    expect(summary.hours?.totals[0]?.wasted).toBeCloseTo(20 / 3600, 10);
  });

  it('lies beside the page, and nothing half-written with them', async () => {
    const { run } = await written();
    expect((await readdir(join(run.dir, 'report'))).sort()).toEqual(['index.html', 'summary.json']);
  });
});
