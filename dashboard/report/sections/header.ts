import { escapeHtml } from '../html.ts';
import { moment } from '../numbers.ts';
import type { RunReport } from '../report-input.ts';

/** Which run this is, and what became of it. */
export const header = ({ run, spec, createdAt, benchmark, promotion }: RunReport): string => {
  const protocol = benchmark[0]?.fingerprint.protocol;
  const about = [
    `begun ${moment(createdAt)}`,
    `protocol ${protocol ? `${protocol.name} ${protocol.version}` : spec.protocol}`,
    `seed ${spec.seed}`,
    `reward ${spec.rl.reward}`,
    `${spec.device === 'cpu' ? 'CPU' : 'GPU'}, host ${spec.host}`,
  ];
  const why = promotion.why.charAt(0).toUpperCase() + promotion.why.slice(1);
  return (
    `<header><h1>${escapeHtml(run)}</h1><p class="dim">${about.map(escapeHtml).join(' · ')}</p>` +
    `<div class="decision ${promotion.decision}"><b>${promotion.decision}</b>` +
    `<p><strong>checkpoint-${promotion.step}.</strong> ${escapeHtml(why)}.</p></div></header>`
  );
};
