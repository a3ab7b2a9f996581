const light = `--ink: #1c2430; --dim: #626c79; --line: #e0e4e9; --paper: #ffffff; --soft: #f5f7f9;
  --a: #8d97a4; --b: #2f74d0; --c: #d4512a; --d: #239161; --e: #7f52bd; --good: #1c8254; --hold: #a8660f;`;
const dark = `--ink: #e3e7ed; --dim: #98a2b0; --line: #2d3540; --paper: #14181e; --soft: #1b2129;
  --a: #8a94a1; --b: #6aa5f2; --c: #f0805c; --d: #56c494; --e: #b591ec; --good: #56c494; --hold: #e0a756;`;

/** The page's look: one column of figures and tables, light or dark by the reader's setting, and fit for paper. */
export const styles = `
:root { color-scheme: light dark; ${light} }
@media (prefers-color-scheme: dark) { :root { ${dark} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 28px 48px; }
h1 { font-size: 25px; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 30px 0 10px; padding-top: 12px; border-top: 1px solid var(--line); }
h3 { font-size: 14px; margin: 14px 0 4px; }
p { margin: 4px 0; }
.dim { color: var(--dim); }
.note, footer { color: var(--dim); font-size: 12.5px; max-width: 100ch; margin: 8px 0; }
footer { margin-top: 28px; }
.decision { display: flex; gap: 14px; align-items: baseline; margin: 14px 0 0; padding: 8px 14px; background: var(--soft);
  border-left: 4px solid var(--hold); }
.decision b { color: var(--hold); font-size: 16px; }
.decision p { margin: 0; }
.decision.promoted { border-color: var(--good); }
.decision.promoted > b { color: var(--good); }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1px; margin: 14px 0 0;
  background: var(--line); border: 1px solid var(--line); }
.tile { background: var(--paper); padding: 8px 12px; }
.tile span, .tile small { display: block; color: var(--dim); font-size: 12.5px; }
.tile b { display: block; font-size: 19px; font-weight: 600; line-height: 1.35; white-space: nowrap; }
.key { display: inline-block; width: 9px; height: 9px; border-radius: 5px; margin-right: 6px; }
.legend { font-size: 12.5px; color: var(--dim); margin: 2px 0 4px; }
.legend span { display: inline-block; margin-right: 14px; white-space: nowrap; }
.scroll { overflow-x: auto; margin: 6px 0; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { font-weight: 500; color: var(--dim); line-height: 1.2; vertical-align: bottom; text-align: right; padding: 4px 8px;
  border-bottom: 1px solid var(--dim); white-space: nowrap; }
td { text-align: right; padding: 2px 8px; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; position: sticky; left: 0; background: var(--paper); }
tbody tr + tr.group td { border-top: 1px solid var(--line); }
th.left, td.left { text-align: left; }
td:last-child.left { white-space: normal; min-width: 150px; }
.whole { font-weight: 600; }
.inner { padding-left: 12px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 12px 32px; align-items: start; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(225px, 1fr)); gap: 14px 20px; }
figure { margin: 0; break-inside: avoid; min-width: 0; }
figcaption { font-size: 12.5px; font-weight: 600; display: flex; justify-content: space-between; gap: 8px; margin-bottom: 2px; }
figcaption span { font-weight: 400; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--dim); font: 11px system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
svg text.strong { fill: var(--ink); }
svg .grid { stroke: var(--line); }
svg .mark { stroke: var(--dim); }
svg.bar { width: 220px; height: 10px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 16px; margin: 0; font-size: 13px; }
dt { color: var(--dim); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.episodes { columns: 3 290px; column-gap: 14px; }
article { border: 1px solid var(--line); padding: 8px 12px; margin: 0 0 14px; break-inside: avoid; font-size: 13px; min-width: 0; }
.asked { display: flex; gap: 12px; align-items: center; margin: 4px 0; }
.picture { display: inline-block; margin-right: 8px; }
.picture img { display: block; image-rendering: pixelated; height: 84px; max-width: 100%; background: #000; }
.picture figcaption { font-size: 11.5px; font-weight: 400; color: var(--dim); }
pre { margin: 4px 0; padding: 5px 8px; background: var(--soft); font: 12px/1.4 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; }
pre.said { border-left: 3px solid var(--c); }
.came { font-size: 12.5px; }
code { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.pair > .scroll { margin-top: 0; }
.plots .legend { font-size: 11.5px; }
.plots .legend span { margin-right: 8px; }
.plots .key { margin-right: 4px; }
.right { color: var(--good); } .open { color: var(--hold); } .wrong { color: var(--c); }
details { margin-top: 12px; } summary { cursor: pointer; }
@media (max-width: 800px) { .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); } .tile b { white-space: normal; } }
@media (max-width: 600px) { main { padding: 16px 14px 32px; } .decision { display: block; } }
@page { margin: 12mm; }
@media print { :root { ${light} } body { font-size: 8.5pt; } main { max-width: none; padding: 0; } h2 { break-after: avoid; margin-top: 16px; }
  .decision { display: flex; } .tiles { grid-template-columns: repeat(4, 1fr); } .tile { padding: 4px 8px; } .tile b { font-size: 11pt; }
  .tile span, .tile small, .note, .legend { font-size: 7.5pt; } table, dl, article { font-size: 7.5pt; } th, td { padding: 1px 4px; }
  th:first-child, td:first-child { position: static; } .scroll { overflow: visible; } pre, code { font-size: 7pt; }
  .pair { grid-template-columns: 1fr 1fr; gap: 10px 18px; } .plots { grid-template-columns: repeat(4, 1fr); gap: 8px 12px; }
  .pair, .plots, tr { break-inside: avoid; } .episodes { columns: 3 120px; } .picture img { height: 56px; } svg.bar { width: 110px; } figcaption { font-size: 7.5pt; } .came, .picture figcaption, .plots .legend { font-size: 7pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;
