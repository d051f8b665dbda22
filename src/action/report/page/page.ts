/** The report as one page: no script, nothing to fetch, readable on a phone, in light and dark. */

import { formatSize } from "../../../index.ts";
import { proofText, totalsOf } from "../../results/figures.ts";
import type { ImageResult } from "../../results/image-result.ts";
import { headlineOf, type Tone, toneOf } from "../../results/outcome.ts";
import type { StepResult } from "../../results/step-result.ts";
import { type Content, type Html, html, joined, oneLine } from "../html.ts";
import { imageSection } from "./image-section.ts";
import { jobsTable, overviewTables } from "./overview.ts";
import { STYLE } from "./style.ts";

/** Images with a section of their own; of more, those that did not go well come first. */
export const MAX_SECTIONS = 100;
/** Of what nobody looked at there is nothing to tell. */
const RANKS: readonly Tone[] = ["bad", "doubtful", "good"];

const TITLES: Readonly<Record<StepResult["mode"], string>> = {
  convert: "In-place conversion",
  check: "Consistency check",
  plan: "Plan of a conversion",
  collect: "Reports of all jobs",
};

export function pageOf(step: StepResult): string {
  const { results, dryRun, mode } = step;
  const headline = headlineOf(step);
  const numbered = results.map((result, index) => ({ result, index }));
  const ranked = RANKS.flatMap((tone) => numbered.filter(({ result }) => toneOf(result, dryRun) === tone));
  const told = ranked.slice(0, MAX_SECTIONS);
  const isTold = new Set<ImageResult>(told.map(({ result }) => result));
  const maxFindings = results.length <= 3 ? 200 : results.length <= 20 ? 50 : 10;
  const sections = told.map(({ result, index }) => imageSection(result, { index, dryRun, maxFindings }));
  const overview =
    results.length > 1 ? html`<h2>Images</h2>\n${overviewTables(step, (result) => isTold.has(result))}` : "";
  const each = results.length > 1 && sections.length > 0 ? html`<h2>One by one</h2>\n` : "";
  const left = results.length - told.length;
  const rest =
    left > 0
      ? html`<p class="quiet">The other ${left.toLocaleString("en-US")} are in the table above alone.</p>\n`
      : "";
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${headline}</title>
<style>${STYLE}</style>
</head>
<body>
<header class="page">
<p class="eyebrow">${TITLES[mode]}</p>
<h1>${unbroken(headline)}</h1>
${lede(step)}${totals(step)}</header>
<main>
${jobsTable(step)}${overview}${each}${results.length === 1 ? html`<h2>The image</h2>\n` : ""}${sections}${rest}</main>
<footer><p>${madeText(step)}. Pictures are to scale; header and tables are widened to a line where they would be less.</p></footer>
</body>
</html>
`;
  return String(page);
}

/** By what, when and in which run, for whoever finds the page without it; one sentence, without its full stop. */
function madeText({ provenance }: StepResult): string {
  const { tool, toolVersion, time, repository, commit, runId, runAttempt } = provenance;
  const where = [
    ...(runId ? [`in run ${runId}${runAttempt && runAttempt !== "1" ? `, attempt ${runAttempt}` : ""}`] : []),
    ...(repository ? [`of ${repository}`] : []),
    ...(commit ? [`at commit ${commit.slice(0, 12)}`] : []),
  ];
  return [`Made by ${tool} ${toolVersion} on ${time.slice(0, 16).replace("T", " at ")} UTC`, ...where].join(" ");
}

/** Numbers stay with what they count. */
function unbroken(words: string): Html {
  return joined(oneLine(words).split(/(?<=\d) /), html`&nbsp;`);
}

function lede(step: StepResult): Content {
  const said = step.dryRun ? "Nothing was written" : proofText(step);
  return said === "" ? "" : html`<p class="lede">${said}.</p>\n`;
}

function totals(step: StepResult): Content {
  const { count, written, copied, moved, extra } = totalsOf(step);
  if (count === 0) return "";
  const figures = [
    [step.dryRun ? "To write at most" : "Written", written],
    ["A copy would write", copied],
    ["Guest data moved", moved],
    [count === 1 ? "Extra disk at most" : "Extra disk an image at most", extra],
  ] as const;
  const items = figures.map(([name, bytes]) => html`<div><dt>${name}</dt><dd>${formatSize(bytes)}</dd></div>`);
  return html`<dl class="totals">${items}</dl>\n`;
}
