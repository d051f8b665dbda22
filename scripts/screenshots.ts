/**
 * Draws what the action tells with Chromium: `node scripts/screenshots.ts [FOLDER]`, by default docs/screenshots.
 *
 * The results are made up (test/support/step-results.ts), everything else is as in a run. A folder of one's own gets
 * all widths and both colour schemes; docs/screenshots only what is kept.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pageOf } from "../src/action/page/page.ts";
import { summaryOf } from "../src/action/summary.ts";
import { checkStep, nightlyStep, step } from "../test/support/step-results.ts";

interface Shot {
  readonly name: string;
  readonly html: string;
  readonly width: number;
  readonly height: number;
  readonly isDark: boolean;
}

/** Enough of a summary's surroundings to judge it by. */
function asSummary(html: string): string {
  return `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; --line: #d1d9e0; --code: #818b981f; --pre: #f6f8fa; }
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

const scratch = mkdtempSync(join(tmpdir(), "inplace-convert-screenshots-"));

function take(folder: string, { name, html, width, height, isDark }: Shot): void {
  const source = join(scratch, `${name}.html`);
  // A narrow window is not to be had without a device; a frame of the width is one.
  writeFileSync(source, html);
  const frame = join(scratch, `${name}-frame.html`);
  writeFileSync(
    frame,
    `<!doctype html><meta name="color-scheme" content="light dark"><style>body { margin: 0 } iframe { border: 0; display: block; width: ${width}px; height: ${height}px }</style><iframe src="${name}.html"></iframe>`,
  );
  const scheme = isDark ? ["--blink-settings=preferredColorScheme=0"] : [];
  const options = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
  ];
  const size = `--window-size=${Math.max(width, 500)},${height}`;
  const target = `--screenshot=${join(folder, `${name}.png`)}`;
  const chromium = process.env.CHROMIUM ?? "chromium";
  execFileSync(chromium, [...options, ...scheme, size, target, `file://${frame}`], { stdio: "ignore" });
}

const kept = fileURLToPath(new URL("../docs/screenshots/", import.meta.url));
const folder = process.argv[2] ?? kept;
mkdirSync(folder, { recursive: true });
const nightly = nightlyStep();
const one = step(nightly.results.slice(0, 1));
const pages = [
  { name: "page", html: pageOf(nightly), height: 3200 },
  { name: "page-check", html: pageOf(checkStep()), height: 2600 },
  { name: "page-one", html: pageOf(one), height: 1400 },
  { name: "summary", html: asSummary(summaryOf(nightly)), height: 1500 },
  { name: "summary-check", html: asSummary(summaryOf(checkStep())), height: 1300 },
  { name: "summary-one", html: asSummary(summaryOf(one)), height: 900 },
];
const shots = pages.flatMap(({ name, html, height }) =>
  [1280, 390].flatMap((width) =>
    [false, true].map((isDark) => {
      const size = { width, height: width < 500 ? Math.round(height * 1.6) : height };
      return { name: `${name}-${width}${isDark ? "-dark" : ""}`, html, isDark, ...size };
    }),
  ),
);
try {
  for (const shot of shots) if (folder !== kept || shot.name === "page-1280") take(folder, shot);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
