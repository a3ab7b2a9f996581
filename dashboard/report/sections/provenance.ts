import { datasetDetailsSchema } from '../../../domain/dataset.ts';
import { digitRange } from '../digit-range.ts';
import { escapeHtml, section, shortDigest } from '../html.ts';
import { judgeNote } from '../judge-note.ts';
import { grouped } from '../numbers.ts';
import type { RunReport } from '../report-input.ts';
import { facts, table } from '../table.ts';

const dataTable = ({ data }: RunReport): string => {
  const parsed = datasetDetailsSchema.safeParse(data.details);
  if (!parsed.success) return '<p class="dim">The data’s manifest says nothing of its rows.</p>';
  const { rows, schema, digits } = parsed.data;
  return table(
    [
      { head: 'split', left: true },
      { head: 'rows' },
      { head: 'schema', left: true },
      { head: 'digits it is made of', left: true },
    ],
    Object.entries(rows).map(([split, count]) => ({
      cells: [
        escapeHtml(split),
        grouped(count),
        escapeHtml(schema[split] ?? '–'),
        escapeHtml(digitRange(digits, split) ?? '–'),
      ],
    })),
  );
};

/** What the figures depend on: the data, the protocol, the sandbox, who decided the answers. */
export const provenanceSection = (report: RunReport): string => {
  const { benchmark, data, dir } = report;
  const fingerprint = benchmark[0]?.fingerprint;
  const seed = data.details.seed;
  const source = data.details.source;
  const asked: (readonly [string, string])[] = fingerprint
    ? [
        [
          'protocol',
          `${escapeHtml(fingerprint.protocol.name)} ${fingerprint.protocol.version}, ${shortDigest(fingerprint.protocol.digest)}`,
        ],
        [
          'sampling',
          `temperature ${fingerprint.temperature}, top-p ${fingerprint.topP}, at most ${fingerprint.maxTokens} tokens a turn, ` +
            `${fingerprint.seed === null ? 'no seed' : `seed ${fingerprint.seed}`}`,
        ],
        ['scoring', escapeHtml(fingerprint.scoring)],
        ['sandbox', `isolation: ${escapeHtml(fingerprint.isolation)}`],
      ]
    : [];
  const entries: (readonly [string, string])[] = [
    [
      'data',
      `${typeof source === 'string' ? `${escapeHtml(source)}, ` : ''}${typeof seed === 'number' ? `seed ${seed}, ` : ''}` +
        `${shortDigest(data.digest)}, <code>${escapeHtml(data.path.replace(`${dir}/`, ''))}</code>`,
    ],
    ['answers', escapeHtml(judgeNote(report))],
    ...asked,
    ...benchmark.map(({ model, modelDigest }): readonly [string, string] => [
      `model ${escapeHtml(model)}`,
      shortDigest(modelDigest),
    ]),
  ];
  return section('What the figures depend on', `<div class="pair">${facts(entries)}${dataTable(report)}</div>`);
};
