import { describe, expect, it } from 'vitest';
import { intervalPlot } from '../../dashboard/report/interval-plot.ts';
import { linePlot, type Point } from '../../dashboard/report/line-plot.ts';
import { extent, linearScale, tickLabel, ticks } from '../../dashboard/report/scale.ts';
import { smooth } from '../../dashboard/report/smooth.ts';

describe('scales', () => {
  it('map the ends of a range to the ends of the pixels, and the middle to the middle', () => {
    const scale = linearScale(10, 20, 100, 300);
    expect([scale(10), scale(15), scale(20)]).toEqual([100, 200, 300]);
  });

  it('do not divide by the width of an empty range', () => {
    expect(linearScale(5, 5, 0, 100)(5)).toBe(0);
  });

  it('hold every finite value, with air around a single one', () => {
    expect(extent([0, 10, Number.NaN, Number.POSITIVE_INFINITY], 0.1)).toEqual([-1, 11]);
    expect(extent([4])).toEqual([2, 6]);
    expect(extent([0, 0], 0.1)).toEqual([-0.1, 1]);
    expect(extent([Number.NaN])).toBeUndefined();
  });

  it('tick at round numbers inside the range', () => {
    expect(ticks(0, 1, 4)).toEqual([0, 0.5, 1]);
    expect(ticks(0.31, 0.69, 4)).toEqual([0.4, 0.5, 0.6]);
    expect(ticks(-0.3, 0.3, 5)).toEqual([-0.2, 0, 0.2]);
    expect(ticks(1, 1, 4)).toEqual([]);
  });

  it('label ticks with a true minus and without the noise of floating point', () => {
    expect([-0.2, 0.1 + 0.2, 2e-6, 200_000].map((value) => tickLabel(Number(value.toPrecision(12))))).toEqual([
      '−0.2',
      '0.3',
      '2e−6',
      '2e5',
    ]);
  });
});

describe('line plots', () => {
  const plot = (points: readonly Point[]): string => linePlot('loss', [{ name: 'a', colour: 'red', points }]);
  const polylines = (svg: string): number[][][] =>
    [...svg.matchAll(/points="([^"]*)"/g)].map(([, points = '']) =>
      points.split(' ').map((pair) => pair.split(',').map(Number)),
    );

  it('put known values at known places', () => {
    const drawn = polylines(
      plot([
        { x: 0, y: 0 },
        { x: 50, y: 1 },
        { x: 100, y: 2 },
      ]),
    )[0];
    // Of 260 by 132 the axes leave x from 37 to 252 and y from 112 up to 6, with air of 2 and 6 per cent.
    const across = linearScale(-2, 102, 37, 252);
    const up = linearScale(-0.12, 2.12, 112, 6);
    const places = [
      [0, 0],
      [50, 1],
      [100, 2],
    ] as const;
    expect(drawn).toHaveLength(places.length);
    for (const [index, [x, y]] of places.entries()) {
      expect(drawn?.[index]?.[0]).toBeCloseTo(across(x), 0);
      expect(drawn?.[index]?.[1]).toBeCloseTo(up(y), 0);
    }
    expect(drawn?.[1]).toEqual([144.5, 59]);
  });

  it('break where a value is missing or no number, and draw what stands alone as a dot', () => {
    const svg = plot([
      { x: 0, y: 1 },
      { x: 1, y: 2 },
      { x: 2, y: null },
      { x: 3, y: 3 },
      { x: 4, y: Number.NaN },
      { x: 5, y: 3 },
      { x: 6, y: 4 },
    ]);
    expect(svg).not.toContain('NaN');
    expect(polylines(svg).map((points) => points.length)).toEqual([2, 2]);
    expect(svg.match(/<circle/g)).toHaveLength(1);
  });

  it('draw one point, and say where there is none', () => {
    expect(plot([{ x: 1, y: 2 }])).toContain('<circle');
    expect(plot([])).toContain('no values');
    expect(plot([{ x: 1, y: Number.POSITIVE_INFINITY }])).toContain('no values');
  });

  it('ring the chosen point and draw whiskers inside the figure', () => {
    const points = [
      { x: 20, y: 0.5, low: 0.3, high: 0.7 },
      { x: 40, y: 0.6, low: 0.4, high: 0.8 },
    ];
    const svg = linePlot('accuracy', [{ name: 'a', colour: 'red', points, look: 'dots' }], {
      ring: 40,
      xTicks: [20, 40],
    });
    const [, x, top, bottom] =
      /<line x1="([\d.]+)" x2="[\d.]+" y1="([\d.]+)" y2="([\d.]+)" stroke="red"/.exec(svg) ?? [];
    expect(Number(x)).toBeGreaterThan(37);
    expect(Number(top)).toBeLessThanOrEqual(112);
    expect(Number(bottom)).toBeGreaterThanOrEqual(6);
    expect(svg.match(/stroke="var\(--ink\)"/g)).toHaveLength(1);
  });
});

it('a moving mean reaches no further ahead than back, and keeps gaps', () => {
  const points = [1, 2, 6, null, 4].map((y, x) => ({ x, y }));
  expect(smooth(points, 1).map(({ y }) => y)).toEqual([1, 3, 4, null, 4]);
});

it('a moving mean of what never changes is that, and of many points the mean of those around', () => {
  const steps = Array.from({ length: 3000 }, (_, x) => x);
  const flat = smooth(
    steps.map((x) => ({ x, y: 0.1 })),
    150,
  );
  expect(new Set(flat.map(({ y }) => y))).toEqual(new Set([0.1]));
  // Of the squares of x - 2 to x + 2 the mean is x² + 2.
  const squares = smooth(
    steps.map((x) => ({ x, y: x * x })),
    2,
  );
  expect(squares[1000]?.y).toBe(1_000_002);
  // The last one has only the three up to itself.
  expect(squares.at(-1)?.y).toBeCloseTo((2997 ** 2 + 2998 ** 2 + 2999 ** 2) / 3, 3);
});

describe('interval plots', () => {
  const axis = { title: 'accuracy', from: 0, to: 1 };

  it('put a share of a half half-way along the axis', () => {
    const svg = intervalPlot([{ label: 'all', intervals: [{ colour: 'red', value: 0.5, low: 0, high: 1 }] }], axis);
    // The axis runs from 118 to 478.
    expect(svg).toContain('cx="298"');
    expect(svg).toContain('x1="118" x2="478"');
  });

  it('cut what leaves the axis, leave out what is no number, and say where there are no rows', () => {
    const far = { colour: 'red', value: 0.9, low: -3, high: 7 };
    const none = { colour: 'blue', value: Number.NaN, low: Number.NaN, high: Number.NaN };
    const svg = intervalPlot([{ label: '<b>', intervals: [far, none] }], axis);
    expect(svg).toContain('x1="118" x2="478"');
    expect(svg).not.toContain('NaN');
    expect(svg).toContain('&lt;b&gt;');
    expect(intervalPlot([], axis)).toContain('no values');
  });
});
