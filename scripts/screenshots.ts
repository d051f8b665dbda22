/**
 * Draws what the action tells with Chromium: `node scripts/screenshots.ts [FOLDER]`, by default docs/screenshots.
 *
 * The results are made up (test/support/step-results.ts), everything else is as in a run. docs/screenshots gets the two
 * that are kept; another folder gets page and summary of each kind, in all widths and in light and dark.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pageOf } from "../src/action/report/page/page.ts";
import { summaryOf } from "../src/action/report/summary.ts";
import { busyStep, checkStep, nightlyStep, pathsStep, planStep, step } from "../test/support/step-results.ts";

interface Shot {
  readonly name: string;
  readonly html: string;
  /** Of the page's window; each colour scheme has one, side by side. */
  readonly width: number;
  readonly height: number;
  readonly schemes: readonly ("light" | "dark")[];
}

const GAP = 20;
const scratch = mkdtempSync(join(tmpdir(), "inplace-convert-screenshots-"));

/** Enough of a summary's surroundings to judge it by. */
function asSummary(html: string): string {
  return `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; background: #fff; --line: #d1d9e0; --code: #818b981f; --pre: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --line: #3d444d; --code: #656c7633; --pre: #151b23; background: #0d1117; color: #f0f6fc; } }
body { font: 16px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; max-width: 1012px; margin: 24px auto; padding: 0 24px; }
h2 { font-size: 24px; border-bottom: 1px solid var(--line); padding-bottom: .3em; }
table { border-collapse: collapse; display: block; width: max-content; max-width: 100%; overflow: auto; margin-bottom: 16px; }
th, td { border: 1px solid var(--line); padding: 6px 13px; }
code { background: var(--code); border-radius: 6px; padding: .2em .4em; font-size: 85%; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; }
pre { background: var(--pre); padding: 16px; border-radius: 6px; overflow: auto; font-size: 85%; line-height: 1.45; }
</style>
${html}`;
}

/** Windows as narrow as a phone's are not to be had, frames are; and a frame takes the colour scheme it is given. */
function take(folder: string, { name, html, width, height, schemes }: Shot): void {
  writeFileSync(join(scratch, `${name}.html`), html);
  const frames = schemes.map((scheme) => `<iframe src="${name}.html" style="color-scheme: ${scheme}"></iframe>`);
  const gap = schemes.length > 1 ? GAP : 0;
  const style = `body { margin: 0; padding: ${gap}px; display: flex; gap: ${gap}px; background: #8a8f94 } iframe { border: 0; flex: none; width: ${width}px; height: ${height}px }`;
  const frame = join(scratch, `${name}-frame.html`);
  writeFileSync(
    frame,
    `<!doctype html><meta name="color-scheme" content="light dark"><style>${style}</style>${frames.join("")}`,
  );
  const size = `--window-size=${schemes.length * (width + gap) + gap},${height + 2 * gap}`;
  const options = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
  ];
  const target = `--screenshot=${join(folder, `${name}.webp`)}`;
  execFileSync(process.env.CHROMIUM ?? "chromium", [...options, size, target, `file://${frame}`], { stdio: "ignore" });
}

const nightly = nightlyStep();
const one = step(nightly.results.slice(0, 1));
const both = ["light", "dark"] as const;

const kept: readonly Shot[] = [
  { name: "page-1280", html: pageOf(nightly), width: 1280, height: 1690, schemes: ["light"] },
  { name: "page-390", html: pageOf(one), width: 390, height: 1340, schemes: both },
];

function everything(): Shot[] {
  const steps = { nightly, one, paths: pathsStep(), check: checkStep(), plan: planStep(), busy: busyStep() };
  return Object.entries(steps).flatMap(([name, facts]) =>
    [1280, 800, 390].flatMap((width) => [
      { name: `page-${name}-${width}`, html: pageOf(facts), width, height: width < 500 ? 3000 : 2400, schemes: both },
      { name: `summary-${name}-${width}`, html: asSummary(summaryOf(facts)), width, height: 1400, schemes: both },
    ]),
  );
}

const folder = process.argv[2];
const into = folder ?? fileURLToPath(new URL("../docs/screenshots/", import.meta.url));
mkdirSync(into, { recursive: true });
try {
  for (const shot of folder === undefined ? kept : everything()) take(into, shot);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
