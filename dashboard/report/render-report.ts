import { escapeHtml } from './html.ts';
import { moment } from './numbers.ts';
import type { RunReport } from './report-input.ts';
import { benchmarkSection } from './sections/benchmark.ts';
import { checkpointsSection } from './sections/checkpoints.ts';
import { comparisonSection } from './sections/comparison.ts';
import { examplesSection } from './sections/examples.ts';
import { filesSection } from './sections/files.ts';
import { header } from './sections/header.ts';
import { hoursSection } from './sections/hours.ts';
import { keyFigures } from './sections/key-figures.ts';
import { provenanceSection } from './sections/provenance.ts';
import { stagesSection } from './sections/stages.ts';
import { rlCurvesSection, supervisedCurvesSection } from './sections/training-curves.ts';
import { styles } from './styles.ts';

/** A run's report as one HTML file: nothing is loaded, nothing runs, and it opens from disk. */
export const renderReport = (report: RunReport): string =>
  [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(report.run)}</title>`,
    `<style>${styles}</style></head><body><main>`,
    header(report),
    keyFigures(report),
    benchmarkSection(report),
    comparisonSection(report),
    checkpointsSection(report),
    examplesSection(report),
    rlCurvesSection(report),
    supervisedCurvesSection(report),
    stagesSection(report),
    hoursSection(report),
    provenanceSection(report),
    filesSection(report),
    `<footer class="dim">Written by Lensmith, ${moment(report.writtenAt)}</footer>`,
    '</main></body></html>\n',
  ].join('\n');
