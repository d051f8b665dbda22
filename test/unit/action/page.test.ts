/** The page: whole without a script or a fetch, harmless whatever names it holds, to scale, and small. */

import { expect, test } from "vitest";
import { MAX_SECTIONS, pageOf } from "../../../src/action/report/page/page.ts";
import { pictureSvg, WIDTH, whatMoved } from "../../../src/action/report/page/picture.ts";
import { STYLE } from "../../../src/action/report/page/style.ts";
import type { ImageResult } from "../../../src/action/results/image-result.ts";
import { type FileLayout, LAYOUT_KINDS, MAX_RUNS } from "../../../src/image/file-layout.ts";
import {
  checked,
  checkStep,
  conversion,
  finding,
  layoutOf,
  nightlyStep,
  planStep,
  provenance,
  result,
  step,
} from "../../support/step-results.ts";

const MiB = 1024 * 1024;

const planned = planStep();
const steps = { convert: nightlyStep(), check: checkStep(), plan: planned, nothing: step([]) };

test.each(Object.entries(steps))("%s: one file, nothing to fetch, no script, every element closed", (_, facts) => {
  const html = pageOf(facts);
  expect(html).not.toMatch(/<script|<link|<img|<iframe|<object|<form|\son[a-z]+=|javascript:|@import|url\(|\bsrc=/i);
  if (facts !== planned) expect(html).not.toContain("://");
  for (const [, where = ""] of html.matchAll(/\bhref="([^"]*)"/g)) {
    expect(where).toMatch(/^#image-\d+$/);
    expect(html).toContain(`<article id="${where.slice(1)}"`);
  }
  expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  const open: string[] = [];
  for (const [, end, name = "", rest = ""] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)\b([^>]*)>/g)) {
    if (["meta", "br"].includes(name) || rest.endsWith("/")) continue;
    if (end === "") open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
});

test("what a reader without eyes needs: language, landmarks, headings in order, heads of tables, words for pictures", () => {
  for (const facts of Object.values(steps)) {
    const html = pageOf(facts);
    for (const part of ['<html lang="en">', '<header class="page">', "<main>", "<footer>"])
      expect(html).toContain(part);
    const levels = [...html.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
    expect(levels[0]).toBe(1);
    for (const [index, level] of levels.entries()) expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
    for (const [, head = ""] of html.matchAll(/<thead>(.*?)<\/thead>/gs))
      expect(head).not.toMatch(/<th(?! scope="col")/);
    for (const [svg] of html.matchAll(/<svg[^>]*>/g)) {
      if (svg.includes("aria-hidden")) continue;
      const ids = /role="img" aria-labelledby="(\S+) (\S+)"/.exec(svg)?.slice(1) ?? [];
      expect(ids).toHaveLength(2);
      for (const id of ids) expect(html.split(`id="${id}"`)).toHaveLength(2);
    }
  }
});

test("names and messages from outside stay text", () => {
  const name = "</title></style><script>alert(1)</script>\"'&`\u202e\u001b[31m\n::x";
  const check = checked({ verdict: "leaks", leaks: 1, findings: [finding(0, { structure: name, message: name })] });
  const failure = { kind: name, message: name, reasons: [name, `${name}2`], advice: name, details: {} };
  const download = { url: name, digest: name, bytes: 1, fromCache: true, warnings: [name] };
  const layout = { before: layoutOf("HDD.", MiB), after: layoutOf("HDDT", MiB) };
  const report = conversion({ notes: [name], dropped: [name], sourceFormat: name, layout });
  const results = [
    result(name, { check }),
    result(name, { failure, download }),
    result(name, { report, path: `${name}2`, notes: [name], recovery: name }),
  ];
  for (const mode of ["convert", "check", "collect", "plan"] as const) {
    const html = pageOf(step(results, { mode, targetFormat: name, matrix: { include: [{ shard: 1, images: name }] } }));
    expect(html).not.toMatch(/<script|<\/title><\/style|"'&|`|\u202e/);
    expect(html).not.toContain("\u001b");
    expect(html.match(/<\/style>/g)).toHaveLength(1);
  }
});

test("a column in which nothing stands is left out; what nobody looked at has no section", () => {
  const html = pageOf(planStep());
  const heads = [...html.matchAll(/<th scope="col"[^>]*>([^<]*)/g)].map(([, name]) => name);
  expect(heads.slice(0, 8)).toEqual(["Job", "Images", "Which", "Image", "Result", "To write", "Instead of", "Check"]);
  expect(html.match(/<article /g)).toHaveLength(2);
  expect(html).toContain("As planned");
});

/** Per class, the sum of the widths of its boxes in one bar. */
function widths(svg: string, top: (place: number) => boolean): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [, kind = "", boxes = ""] of svg.matchAll(/<path class="(\w+)" d="([^"]*)"/g)) {
    for (const [, place, width] of boxes.matchAll(/M\d+ (\d+)h(\d+)/g)) {
      if (top(Number(place))) sums[kind] = (sums[kind] ?? 0) + Number(width);
    }
  }
  return sums;
}

test("the bars are to scale, and their parts make up the file", () => {
  const before = layoutOf("HTTDDDDDCC..DDDD..T.", MiB);
  const after = layoutOf("H..DDDDD....DDDD....DDTTT", MiB);
  const svg = String(pictureSvg({ before, after, moved: "some" }, "x", "a.qed"));
  const unit = WIDTH / 25;
  expect(widths(svg, (top) => top < 36)).toEqual({
    file: 20 * unit,
    header: unit,
    tables: 3 * unit,
    data: 9 * unit,
    compressed: 2 * unit,
  });
  expect(widths(svg, (top) => top >= 68)).toEqual({
    file: WIDTH,
    header: unit,
    tables: 3 * unit,
    data: 11 * unit,
    moved: 2 * unit,
  });
  expect(widths(svg, (top) => top === 36)).toEqual({ stays: 9 * unit });
});

test("rounded edges leave neither gap nor overlap", () => {
  const letters = Array.from({ length: 251 }, (_, index) => "HDTC"[index === 0 ? 0 : 1 + (index % 3)]).join("");
  const layout = layoutOf(letters, 512);
  const svg = String(pictureSvg({ before: layout, after: null, moved: "none" }, "x", "a"));
  const { file, ...kinds } = widths(svg, () => true);
  expect(Object.values(kinds).reduce((sum, width) => sum + width, 0)).toBe(file);
  expect(file).toBe(WIDTH);
});

test("what stayed and what moved; nothing is claimed where places are not exact", () => {
  const [before, after] = [layoutOf("HDDDD..", 1), layoutOf("H.DDD.D", 1)];
  expect(whatMoved(before, after, "some")).toEqual({ stayed: [{ start: 2, end: 5 }], moved: [{ start: 6, end: 7 }] });
  const vague: FileLayout = { ...before, isExact: false };
  expect(whatMoved(vague, after, "some")).toEqual({ stayed: [], moved: [] });
  expect(whatMoved(vague, after, "none")).toEqual({ stayed: [{ start: 1, end: 5 }], moved: [] });
  // What lies where something else lay before has not stayed there.
  const all = {
    stayed: [],
    moved: [
      { start: 2, end: 5 },
      { start: 6, end: 7 },
    ],
  };
  expect(whatMoved(before, after, "all")).toEqual(all);
});

test("where all data moved no band says that some stayed", () => {
  const layout = { before: layoutOf("HDDDD..", MiB), after: layoutOf("..DDD.D", MiB) };
  const page = (bytesMoved: number) =>
    pageOf(step([result("a.qcow2", { report: conversion({ guestDataBytes: 4 * MiB, bytesMoved, layout }) })]));
  expect(page(4 * MiB)).not.toContain('class="stays"');
  expect(page(4 * MiB)).toContain("0 bytes of guest data stayed where it was, 4 MiB moved");
  expect(page(MiB)).toContain('class="stays"');
});

test("1,000 images with 1,000 findings and the busiest pictures each: one page of a few MiB", () => {
  const letters = Array.from({ length: MAX_RUNS }, (_, index) => (index === 0 ? "H" : "DT"[index % 2])).join("");
  const layout = layoutOf(letters, 65536);
  expect(layout.runs.length).toBe(MAX_RUNS);
  expect(LAYOUT_KINDS.every((kind) => layout.bytes[kind] >= 0)).toBe(true);
  const findings = Array.from({ length: 1000 }, (_, index) => finding(index));
  const check = { ...checked(), corruptions: 1000, findings };
  const failure = { kind: "io", message: "Cannot read it", reasons: [], advice: "", details: {} };
  const results = Array.from({ length: 1000 }, (_, index): ImageResult => {
    const report = conversion({ check: { before: check, after: null }, layout: { before: layout, after: layout } });
    return result(`images/disk-${index}.qed`, index === 900 ? { failure } : { report });
  });
  const html = pageOf(step(results));
  expect(Buffer.byteLength(html)).toBeLessThan(3 * MiB);
  expect(html.match(/<article /g)).toHaveLength(MAX_SECTIONS);
  // All are in the table; what failed is told first, wherever it stood.
  expect(html.match(/<tr><td>/g)?.length).toBeGreaterThanOrEqual(1000);
  expect(/<article id="(.*?)"/.exec(html)?.[1]).toBe("image-900");
  expect(html).toContain("The other 900 are in the table above alone");
});

/** Relative luminance, WCAG 2.2. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

test("every text and every mark stands out from what it lies on, in light and dark", () => {
  const schemes = String(STYLE)
    .split("@media (prefers-color-scheme: dark)")
    .map((part) =>
      Object.fromEntries([...part.matchAll(/--(\w+): (#[0-9a-f]{6})/g)].map(([, name, color = ""]) => [name, color])),
    );
  expect(schemes).toHaveLength(2);
  for (const colors of schemes) {
    for (const ground of ["paper", "card"]) {
      for (const name of ["ink", "muted", "accent", "bad", "doubt"]) {
        expect(contrast(colors[name] ?? "", colors[ground] ?? "")).toBeGreaterThan(4.5);
      }
      for (const name of ["tables", "accent"]) {
        expect(contrast(colors[name] ?? "", colors[ground] ?? "")).toBeGreaterThan(3);
      }
    }
  }
});

test("the page says by what, when and in which run it was made, as far as that is known", () => {
  const whole = pageOf(step([]));
  expect(whole).toContain(
    "Made by inplace-convert 1.2.3 on 2026-11-30 at 01:02 UTC in run 16012345678, attempt 2 of org/images at commit 0123456789ab.",
  );
  const { tool, toolVersion, time } = provenance;
  const alone = pageOf(step([], { provenance: { tool, toolVersion, time, repository: "<b>" } }));
  expect(alone).toContain("Made by inplace-convert 1.2.3 on 2026-11-30 at 01:02 UTC of &#60;b&#62;.");
});
