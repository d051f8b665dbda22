/** The page's only style sheet: light and dark, from a phone's width to a wide screen, no fonts or images to fetch. */

import { html } from "../html.ts";

/** Kinds of space are told by shape as well: data fills the bar, compressed data its lower half, free space nothing. */
export const STYLE = html`
:root {
  color-scheme: light dark;
  --paper: #f7f7f5; --card: #ffffff; --ink: #1c2126; --muted: #5a646d; --line: #dcdfe2;
  --accent: #0b6b74; --soft: #cfe5e6; --tables: #5d6872; --bad: #a8261c; --doubt: #7d5200;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  color: var(--ink); background: var(--paper);
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #111416; --card: #181c1f; --ink: #e4e8eb; --muted: #9ba6af; --line: #2e353a;
    --accent: #56bec7; --soft: #1d4246; --tables: #98a4ae; --bad: #ff9184; --doubt: #e5b75f;
  }
}
*, *::before { box-sizing: border-box; }
body { margin: 0; }
header.page, main, footer { max-width: 70rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
header.page { padding-top: clamp(2rem, 6vw, 4rem); }
.eyebrow { margin: 0; color: var(--accent); font-weight: 600; font-size: .875rem; letter-spacing: .02em; }
h1 { margin: .4rem 0 .6rem; font-size: clamp(1.5rem, 1.1rem + 2vw, 2.25rem); line-height: 1.2; letter-spacing: -.02em; font-weight: 650; max-width: 28em; text-wrap: balance; }
h2 { margin: 3rem 0 1rem; font-size: 1.25rem; letter-spacing: -.01em; font-weight: 650; }
h3 { margin: 0; font-size: 1.0625rem; font-weight: 600; line-height: 1.4; }
h4 { margin: 1.75rem 0 .5rem; font-size: .9375rem; font-weight: 600; }
p { margin: 0 0 .75rem; max-width: 70ch; }
.lede { font-size: 1.0625rem; color: var(--muted); }
a { color: var(--accent); text-underline-offset: .2em; text-decoration-thickness: 1px; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 2px; }
code { font: .9375em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1.25rem 2rem; margin: 1.75rem 0 0; padding: 1.25rem 0; border: solid var(--line); border-width: 1px 0; }
.totals dt { color: var(--muted); font-size: .875rem; }
.totals dd { margin: .1rem 0 0; font-size: 1.5rem; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); font-size: .875rem; padding-bottom: .5rem; }
th, td { padding: .55rem 1.25rem .55rem 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-size: .8125rem; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.overview td:first-child { min-width: 13rem; }
.jobs th:first-child { width: 4rem; }
.jobs .number { width: 6rem; padding-right: 2rem; }
.now, .quiet { color: var(--muted); }
.now { display: block; font-weight: 400; font-size: .875rem; }
.status { white-space: nowrap; font-weight: 600; }
.sign { display: inline-block; width: 1.35em; height: 1.35em; margin-right: .45em; border: 1.5px solid; border-radius: 50%; font-size: .8em; font-weight: 700; line-height: 1.2em; text-align: center; vertical-align: .06em; }
.status.good { color: var(--accent); }
.status.doubtful { color: var(--doubt); }
.status.bad { color: var(--bad); }
.status.open { color: var(--muted); }
.doubtful .sign { border-radius: 18%; rotate: 45deg; }
.doubtful .sign b { display: block; rotate: -45deg; }
.bad .sign { border-radius: 15%; background: var(--bad); border-color: var(--bad); color: var(--card); }
article { margin: 0 0 1.25rem; padding: clamp(1.1rem, 3vw, 1.75rem); background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
article > header { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; justify-content: space-between; align-items: baseline; }
article > header p { margin: 0; }
.what { margin: .15rem 0 0; color: var(--muted); }
.wrong { margin: 1.1rem 0 0; padding: .1rem 0 .1rem 1rem; border-left: 3px solid var(--bad); }
.wrong p, .wrong ul { margin: .35rem 0; overflow-wrap: anywhere; }
.wrong ul { padding-left: 1.1rem; }
figure { margin: 1.4rem 0 0; }
.label { display: flex; justify-content: space-between; gap: 1rem; font-size: .875rem; color: var(--muted); margin: .35rem 0; font-variant-numeric: tabular-nums; }
.label b { color: var(--ink); font-weight: 600; }
figure svg { display: block; width: 100%; height: 6.5rem; overflow: visible; }
figure svg.single { height: 2.5rem; }
figcaption { margin-top: .6rem; color: var(--muted); font-size: .9375rem; max-width: 70ch; }
.file { fill: var(--paper); stroke: var(--muted); }
.header, .tables, .file { stroke-width: 1px; vector-effect: non-scaling-stroke; }
figure .header, figure .tables { stroke-width: 2px; }
.header { fill: var(--ink); stroke: var(--ink); }
.tables { fill: var(--tables); stroke: var(--tables); }
.data, .compressed { fill: var(--accent); }
.moved { fill: var(--ink); }
.stays { fill: var(--soft); }
.below { display: grid; grid-template-columns: minmax(17rem, 24rem) minmax(0, 1fr); gap: 1.25rem 3rem; margin-top: 1.25rem; align-items: start; }
.below.alone { grid-template-columns: minmax(0, 1fr); }
.legend { font-size: .875rem; }
.legend th, .legend td { padding-top: .35rem; padding-bottom: .35rem; }
.legend svg { width: 1.25rem; height: .875rem; margin-right: .6rem; vertical-align: -.08rem; }
dl.facts { display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); margin: 0; font-size: .9375rem; font-variant-numeric: tabular-nums; }
dl.facts dt, dl.facts dd { padding: .3rem 0; }
dl.facts dt { color: var(--muted); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
dl.facts code { font-size: .8125rem; }
details { margin-top: .5rem; }
summary { cursor: pointer; color: var(--accent); padding: .5rem 0; font-size: .9375rem; }
.findings td:first-child { white-space: nowrap; font-weight: 600; }
.findings td { overflow-wrap: anywhere; }
footer { margin-top: 3rem; overflow-wrap: anywhere; padding-bottom: 3rem; color: var(--muted); font-size: .875rem; }
@media (max-width: 62rem) {
  .below { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 46rem) {
  dl.facts { grid-template-columns: minmax(0, 1fr); }
  dl.facts dt { padding-bottom: 0; font-size: .875rem; }
  dl.facts dd { padding-top: 0; }
  .overview thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .overview, .overview tbody, .overview tr, .overview td { display: block; width: auto; }
  .overview tr { padding: .8rem 0; border-bottom: 1px solid var(--line); }
  .overview td { display: flex; justify-content: space-between; gap: 1.5rem; padding: .15rem 0; border: 0; text-align: right; white-space: normal; }
  .overview caption { display: block; }
  .overview td:first-child { display: block; text-align: left; font-weight: 600; }
  .status { white-space: normal; }
  .overview td:empty { display: none; }
  .overview td[data-name]::before { content: attr(data-name); color: var(--muted); text-align: left; }
  .findings thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .findings, .findings tbody, .findings tr, .findings td { display: block; }
  .findings tr { padding: .6rem 0; border-bottom: 1px solid var(--line); }
  .findings td { padding: 0; border: 0; }
}
@media print {
  :root { --paper: #fff; }
  article { break-inside: avoid; }
}
`;
