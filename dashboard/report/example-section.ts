import type { Turn } from '../../domain/episode.ts';
import { escapeHtml, section } from './html.ts';
import type { ExampleEpisode, RunReport } from './report-input.ts';

const picture = (digest: string, images: ExampleEpisode['images']): string => {
  const url = images.get(digest);
  return url ? `<img src="${url}" alt="image ${digest.slice(0, 8)}">` : '';
};

const turnHtml = (turn: Turn, images: ExampleEpisode['images']): string => {
  const { call } = turn;
  if (!call) return `<pre>${escapeHtml(turn.text)}</pre>`;
  const came = call.error ? `${call.error.type}: ${call.error.message}` : call.stdout;
  return (
    `<pre>${escapeHtml(call.code)}</pre><p class="dim">${escapeHtml(call.outcome)}, ${call.durationMs.toFixed(0)} ms` +
    `${came ? `: ${escapeHtml(came)}` : ''}</p>${call.images.map(({ digest }) => picture(digest, images)).join('')}`
  );
};

const episodeHtml = ({ entry, images }: ExampleEpisode): string => {
  const { episode, grade } = entry;
  const { task } = episode;
  const right = grade.verdict === 'correct';
  return (
    `<div class="episode"><p>${episode.inputImages.map(({ digest }) => picture(digest, images)).join('')}</p>` +
    `<p><b>${escapeHtml(task.question)}</b> <span class="dim">${escapeHtml(task.family)}, ${escapeHtml(task.transform)}</span></p>` +
    episode.turns.map((turn) => turnHtml(turn, images)).join('') +
    `<p>answer <b>${escapeHtml(episode.answer ?? 'none')}</b>, reference <b>${escapeHtml(task.reference)}</b>: ` +
    `<span class="${right ? 'right' : 'wrong'}">${escapeHtml(grade.verdict)}</span> <span class="dim">${escapeHtml(grade.reason)}</span></p></div>`
  );
};

/** Some episodes of the best checkpoint on the test split, right and wrong ones. */
export const exampleSection = ({ examples }: RunReport): string =>
  examples.length === 0
    ? ''
    : section('Episodes of the best checkpoint', `<div class="episodes">${examples.map(episodeHtml).join('')}</div>`);
