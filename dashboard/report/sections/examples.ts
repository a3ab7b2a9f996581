import type { Call, ImageRef, Turn } from '../../../domain/episode.ts';
import type { Verdict } from '../../../domain/verdict.ts';
import { escapeHtml, section } from '../html.ts';
import { duration } from '../numbers.ts';
import type { ExampleEpisode, RunReport } from '../report-input.ts';
import { transformLabel } from '../slice-order.ts';

const maximumText = 1500;

const shortened = (text: string): string =>
  text.length <= maximumText ? text : `${text.slice(0, maximumText)} … (${text.length} characters)`;

const picture = (images: ExampleEpisode['images'], { digest, width, height }: ImageRef, what: string): string => {
  const url = images.get(digest);
  const size = `${width} × ${height}`;
  return url
    ? `<figure class="picture"><img src="${url}" alt="${what}"><figcaption>${what}, ${size}</figcaption></figure>`
    : `<p class="dim">${what}, ${size}: <code>${escapeHtml(digest.slice(0, 12))}</code></p>`;
};

const returned = ({ outcome, stdout, error, images, durationMs }: Call, show: ExampleEpisode['images']): string => {
  const text = [stdout, error ? `${error.type}: ${error.message}` : ''].filter((part) => part.trim() !== '').join('\n');
  return (
    `<p class="came">came back <b class="${outcome === 'ok' || outcome === 'no_output' ? 'right' : 'wrong'}">${outcome}</b> ` +
    `<span class="dim">after ${duration(durationMs / 1000)}</span></p>` +
    `${text === '' ? '' : `<pre>${escapeHtml(shortened(text))}</pre>`}` +
    images.map((image) => picture(show, image, 'result')).join('')
  );
};

const turnText = ({ text, call }: Turn, show: ExampleEpisode['images']): string =>
  `<pre class="said">${escapeHtml(shortened(text.trim()))}</pre>${call ? returned(call, show) : ''}`;

const verdictClass = (verdict: Verdict): string =>
  verdict === 'correct' ? 'right' : verdict === 'wrong' ? 'wrong' : 'open';

const episodeCard = ({ entry: { episode, grade }, images }: ExampleEpisode): string => {
  const { task, inputImages, turns, answer, ending } = episode;
  return (
    `<article><p class="dim">${escapeHtml(task.sampleId)} · ${escapeHtml(task.family)}, ${escapeHtml(transformLabel(task.transform))}</p>` +
    `<div class="asked">${inputImages.map((image) => picture(images, image, 'input')).join('')}` +
    `<p>${escapeHtml(task.question)}</p></div>` +
    turns.map((turn) => turnText(turn, images)).join('') +
    `<p><b class="${verdictClass(grade.verdict)}">${grade.verdict}</b>: ` +
    `answer <b>${answer === null ? 'none' : escapeHtml(shortened(answer))}</b>, reference <b>${escapeHtml(task.reference)}</b>` +
    `${ending === 'answered' ? '' : `, ended as ${ending}`} <span class="dim">(${escapeHtml(grade.reason)})</span></p></article>`
  );
};

/** A few whole episodes: what was asked, what the model wrote, what came back. */
export const examplesSection = ({ examples, promotion }: RunReport): string =>
  examples.length === 0
    ? ''
    : section(
        `Episodes of checkpoint-${promotion.step}`,
        `<div class="episodes">${examples.map(episodeCard).join('\n')}</div>` +
          '<p class="note">From the test split: right and wrong, with code and without, as far as there are such; not a fair sample.</p>',
      );
