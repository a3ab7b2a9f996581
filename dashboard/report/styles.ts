/** The page's look: one column of figures and tables, light or dark by the reader's setting, and fit for paper. */
export const styles = `
:root { color-scheme: light dark; --ink: #1c2430; --dim: #66707e; --line: #dde2e8; --paper: #ffffff; --soft: #f4f6f8;
  --a: #9aa4b1; --b: #3b7dd8; --c: #d9542b; --d: #2c9c6a; --e: #8a5cc7; --good: #1f8a5b; --hold: #b3701a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --dim: #97a1af; --line: #313a46; --paper: #14181e;
  --soft: #1c222a; --a: #7d8793; --b: #6aa5f2; --c: #f0805c; --d: #56c494; --e: #b08ee6; --good: #56c494; --hold: #e0a756; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 36px 0 10px; padding-top: 14px; border-top: 1px solid var(--line); }
h3 { font-size: 14px; margin: 18px 0 6px; }
p { margin: 6px 0; max-width: 78ch; }
.dim { color: var(--dim); }
.badge { display: inline-block; padding: 2px 10px; border-radius: 10px; color: #fff; font-size: 13px; font-weight: 600; }
.promoted { background: var(--good); } .held, .forced { background: var(--hold); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 10px; margin: 18px 0 4px; }
.tile { background: var(--soft); border-radius: 8px; padding: 10px 12px; }
.tile b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
.tile span { color: var(--dim); font-size: 12.5px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th { font-weight: 600; color: var(--dim); text-align: right; padding: 4px 8px; border-bottom: 1px solid var(--line); white-space: nowrap; }
td { text-align: right; padding: 3px 8px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th.left, td.left { text-align: left; }
td.left:last-child { white-space: normal; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 14px 18px; }
figure { margin: 0; break-inside: avoid; }
figcaption { font-size: 13px; font-weight: 600; margin-bottom: 2px; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--dim); font-size: 11px; font-family: inherit; }
.legend { font-size: 12.5px; color: var(--dim); margin: 4px 0 8px; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 5px; margin: 0 5px 0 12px; }
.legend i:first-child { margin-left: 0; }
.episodes { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 14px; }
.episode { border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px; break-inside: avoid; font-size: 13px; }
.episode img { image-rendering: pixelated; height: 84px; border-radius: 4px; margin-right: 6px; background: #000; }
pre { margin: 6px 0; padding: 6px 8px; background: var(--soft); border-radius: 6px; font-size: 12px; white-space: pre-wrap; overflow-wrap: anywhere; }
code { font-size: 12.5px; overflow-wrap: anywhere; }
.right { color: var(--good); font-weight: 600; } .wrong { color: var(--c); font-weight: 600; }
.bar { display: inline-block; height: 8px; background: var(--b); border-radius: 2px; vertical-align: middle; }
details { margin-top: 10px; } summary { cursor: pointer; }
@media (max-width: 600px) { main { padding: 20px 12px 40px; } }
@media print { main { max-width: none; padding: 0; } h2 { break-after: avoid; } }
`;
