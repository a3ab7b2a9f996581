import { describe, expect, it } from 'vitest';
import { escapeHtml } from '../../dashboard/report/html.ts';
import { intervalPlot } from '../../dashboard/report/interval-plot.ts';
import { linePlot, smoothed } from '../../dashboard/report/line-plot.ts';
import { linearScale, tickLabel, ticks } from '../../dashboard/report/scale.ts';

describe('scales', () => {
  it('map the ends of a range to the ends of the pixels, and the middle to the middle', () => {
    const scale = linearScale(10, 20, 100, 300);
    expect([scale(10), scale(15), scale(20)]).toEqual([100, 200, 300]);
  });

  it('do not divide by the width of an empty range', () => {
    expect(linearScale(5, 5, 0, 100)(5)).toBe(0);
  });

  it('tick at round numbers inside the range', () => {
    expect(ticks(0, 1, 4).map(tickLabel)).toEqual(['0', '0.5', '1']);
    expect(ticks(0.31, 0.69, 4).map(tickLabel)).toEqual(['0.4', '0.5', '0.6']);
    expect(ticks(0, 120, 5)).toEqual([0, 50, 100]);
  });
});

describe('line plots', () => {
  const line = (points: [number, number | null][]) => [{ name: 'a', colour: 'red', points }];

  it('leave out what is no number', () => {
    const svg = linePlot(
      'loss',
      line([
        [0, 1],
        [1, null],
        [2, Number.NaN],
        [3, 4],
      ]),
    );
    expect(svg).not.toContain('NaN');
    expect(/points="([^"]*)"/.exec(svg)?.[1]?.split(' ')).toHaveLength(2);
  });

  it('draw one point as a dot and say where there is none', () => {
    expect(linePlot('loss', line([[1, 2]]))).toContain('<circle');
    expect(linePlot('loss', line([]))).toContain('no values');
  });

  it('smooth by the mean of the points around', () => {
    expect(
      smoothed(
        [
          [1, 0],
          [2, 3],
          [3, 6],
        ],
        1,
      ),
    ).toEqual([
      [1, 1.5],
      [2, 3],
      [3, 4.5],
    ]);
  });
});

describe('interval plots', () => {
  it('put a share of a half half-way along the axis', () => {
    const svg = intervalPlot([{ label: 'all', intervals: [{ colour: 'red', value: 0.5, low: 0, high: 1 }] }]);
    // The axis runs from 170 to 980.
    expect(svg).toContain('cx="575.0"');
    expect(svg).toContain('x1="170.0" x2="980.0"');
  });
});

it('what a model wrote stays text', () => {
  expect(escapeHtml('<script>alert("x")</script> & \'y\'')).toBe(
    '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;',
  );
});
