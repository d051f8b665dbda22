/** The summary: one row an image, what is wrong first, its size, and what it must not become. */

import { expect, test } from "vitest";
import { pageOf } from "../../../../src/action/report/page/page.ts";
import { mistakesSummary, summaryOf } from "../../../../src/action/report/summary.ts";
import type { ImageResult } from "../../../../src/action/results/image-result.ts";
import { checked, checkStep, conversion, finding, nightlyStep, result, step } from "../../../support/step-results.ts";

const MiB = 1024 * 1024;

function failed(image: string): ImageResult {
  const message = `Cannot convert ${image}: ${"x".repeat(5000)}`;
  return result(image, { failure: { kind: "corrupt", message, reasons: [], advice: "", details: {} } });
}

const converted = (image: string) => result(image, { path: image.replace("qed", "qcow2"), report: conversion() });

function told(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/&#(\d+);/g, (_, digits: string) => String.fromCharCode(Number(digits)))
    .replaceAll(/\s+/g, " ");
}

test("a row has something to say: an image that kept its name tells of no other", () => {
  for (const results of [[failed("disk.qed")], [result("disk.qed", { report: conversion() })]]) {
    const html = summaryOf(step(results));
    expect(html).not.toContain("Renamed to");
    expect(html).not.toMatch(/<code><\/code>/);
  }
  expect(summaryOf(step([converted("disk.qed")]))).toContain("Renamed to</th><td><code>disk.qcow2</code>");
});

test.each([1, 3, 4, 150, 20_000])("%d images stay under 1 MiB, and the rest is counted", (count) => {
  const results = Array.from({ length: count }, (_, index) => {
    return index % 2 === 1 ? failed(`disk-${index}.qed`) : converted(`disk-${index}.qed`);
  });
  const html = summaryOf(step(results));
  expect(Buffer.byteLength(html)).toBeLessThan(MiB);
  expect(html).not.toMatch(/\n\s*\n/);
  const sections = html.match(/<h3>|<details>/g)?.length ?? 0;
  const leftOut = Number(/([\d,]+) more images? (?:is|are) left out/.exec(html)?.[1]?.replaceAll(",", "") ?? 0);
  // Of very many only those that did not go well have one.
  expect(sections + leftOut).toBe(count > 100 ? count / 2 : count);
  // Those that went well are folded once there are some.
  expect(html.includes("<details>")).toBe(count > 3 && count <= 100);
  const rows = html.match(/<tr><td>[✅❌]/gu)?.length ?? 0;
  const unlisted = Number(/<td colspan="7">(\d+) more/.exec(html)?.[1] ?? 0);
  expect(rows + unlisted).toBe(count === 1 ? 0 : count);
});

test("1,000 images with 1,000 findings each stay under 1 MiB, and each has its row", () => {
  const findings = Array.from({ length: 1000 }, (_, index) => finding(index));
  const check = checked({ verdict: "corrupt", corruptions: 1000, findings });
  const results = Array.from({ length: 1000 }, (_, index) => result(`images/disk-${index}.qcow2`, { check }));
  const html = summaryOf(step(results, { mode: "check", targetFormat: undefined }));
  expect(Buffer.byteLength(html)).toBeLessThan(MiB);
  expect(told(html)).toContain("1,000 images checked: 1000 corrupt");
  expect(html.match(/<tr><td>⚠️/g)).toHaveLength(1000);
  expect(told(html)).toContain("995 more; the input report writes them all");
});

test("what did not go well comes first, and the saving is told", () => {
  const html = summaryOf(nightlyStep());
  expect(told(html)).toContain("2 images converted to qcow2 in place, 1 image already qcow2, 1 image failed");
  expect(told(html)).toMatch(/ 644 MiB written where a copy writes 4\.\d+ GiB, with at most 642 MiB of extra disk/);
  const order = [...html.matchAll(/(?:<h3>❌ |<summary>)<code>([^<]*)/g)].map(([, name]) => name);
  expect(order).toEqual([
    "images/release-2024.qcow2",
    "images/debian-12-nightly.qed",
    "images/builder-cache.qcow2",
    "images/base.qcow2",
  ]);
  expect(told(html)).toContain("Further reasons its bitmap nightly can't be kept");
});

test("few images are drawn, and what is little is not drawn as nothing", () => {
  const [first] = nightlyStep().results;
  const html = summaryOf(step([first as ImageResult]));
  const lines = /<pre>([^<]*)<\/pre>/.exec(html)?.[1]?.split("\n") ?? [];
  expect(lines.filter((_, at) => at % 2 === 0)).toEqual(["before  2.98 GiB", "after  2.99 GiB", expect.any(String)]);
  expect(lines[1]).toMatch(/^H█+·█+·?█+$/);
  expect(lines[3]).toMatch(/^H█+·█+·?█+▒$/);
  // A phone shows no more.
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(36);
  expect(summaryOf(nightlyStep())).not.toContain("<pre>");
});

test("a check: verdict, counts, what was repaired, the worst findings first", () => {
  const step = checkStep();
  const html = told(summaryOf(step));
  expect(html).toContain("4 images checked: 1 clean, 1 repaired, 1 with leaked clusters, 1 failed");
  expect(html).toContain("Repaired 2 corruptions, 210 leaked clusters");
  expect(html).toMatch(/❌ images\/router\.qcow2 37 corruptions, 4 leaked clusters qcow2 37 4/);
  const findings = /images\/router\.qcow2 What is wrong(.*?)more; the input/.exec(html)?.[1] ?? "";
  expect(findings).toContain("corruption refcount block 0 at 0x50000");
  expect(findings).not.toContain("leak refcount block");
});

test("a plan: what would happen, and the jobs", () => {
  const results = [result("a.qed", { report: conversion({ changed: false }) }), result("https://example.org/b.qed")];
  const images = ["a.qed", "https://example.org/b.qed", "c", "<d>", "e"].join("\n");
  const html = summaryOf(
    step(results, {
      mode: "plan",
      dryRun: true,
      matrix: {
        include: [
          { shard: 1, images },
          { shard: 2, images: "f" },
        ],
      },
    }),
  );
  expect(told(html)).toContain(
    "Plan: 1 image would be converted to qcow2 in place, 1 image not looked at yet, in 2 jobs",
  );
  expect(told(html)).toContain("1 5 a.qed https://example.org/b.qed c and 2 more");
  expect(told(html)).toContain("2 1 f");
  // Nothing was done yet, so nothing took any time.
  expect(told(html)).toContain("Image Result To write Instead of");
});

test("collected: conversions and checks, each in their table", () => {
  const { results } = checkStep();
  const html = told(summaryOf(step([converted("a.qed"), ...results], { mode: "collect", targetFormat: undefined })));
  expect(html).toContain("1 image converted in place, 1 image clean, 1 image repaired");
  expect(html).toContain("Instead of");
  expect(html).toContain("Corruptions");
});

test("the checksum is said once where it stayed, twice where it differs", () => {
  const facts = (after: string | null) => {
    const guestChecksum = { algorithm: "sha256", covers: "layer", before: "b".repeat(64), after } as const;
    const check = { before: null, after: null };
    return summaryOf(step([result("a.qed", { report: conversion({ guestChecksum, check }) })]));
  };
  expect(facts("b".repeat(64))).toContain("sha256, without the backing file, before and after");
  expect(facts("c".repeat(64))).toContain("Guest checksum after");
  expect(facts(null)).not.toContain("before and after");
});

test("names and messages from outside stay text", () => {
  const name = "<b>&\"'`\u202e\n::set-output name=x::y\u001b[31m";
  const check = checked({ verdict: "leaks", leaks: 1, findings: [finding(0, { structure: name, message: name })] });
  for (const mode of ["convert", "check", "collect", "plan"] as const) {
    const matrix = { include: [{ shard: 1, images: name }] };
    const failure = { kind: "io", message: name, reasons: [name, name], advice: name, details: {} };
    const report = conversion({ notes: [name], dropped: [name] });
    const all = [
      result(name, { check }),
      result(name, { failure }),
      result(name, { report, path: `${name}2`, notes: [name] }),
    ];
    const html = summaryOf(step(all, { mode, matrix }));
    for (const part of ["<b>&", "\u202e", "\u001b", "`", "::set-output"]) expect(html).not.toContain(part);
    expect(html).not.toMatch(/\n\s*\n/);
  }
});

test("mistakes stay under 1 MiB too", () => {
  const html = mistakesSummary(Array.from({ length: 2000 }, () => "<x>".repeat(1000)));
  expect(Buffer.byteLength(html)).toBeLessThan(MiB);
  expect(html).not.toContain("<x>");
});

test("a path's steps are numbered, a file with holes says what it takes, a disk in one piece has no clusters", () => {
  const path = [
    { step: "switch", to: "qcow2" },
    { step: "rearrange", goal: "linear" },
    { step: "switch", to: "raw" },
  ] as const;
  const sizes = {
    fileSizeBefore: 3 * MiB,
    fileSizeAfter: 8 * MiB,
    actualSizeBefore: 3 * MiB,
    actualSizeAfter: 3 * MiB,
  };
  const report = conversion({ targetFormat: "raw", clusterSize: 512, path, ...sizes });
  const html = summaryOf(step([result("disk.qed", { report })]));
  expect(html).toContain(
    "<td>1 switch to qcow2, its tables behind the disk<br>2 rearrange: each unit to its place<br>3 ",
  );
  expect(told(html)).toContain("3 MiB before; 8 MiB, 3 MiB on the disk after");
  expect(told(html)).not.toMatch(/clusters of|Way back/);
  const planned = summaryOf(step([result("disk.qed", { report: { ...report, changed: false } })], { dryRun: true }));
  expect(told(planned)).toContain("Way back the old bytes in step 1, then the same guest as qed again");
  const page = pageOf(step([result("disk.qed", { report })]));
  expect(page).toContain("1 switch to qcow2, its tables behind the disk<br>2 ");
  expect(told(summaryOf(step([result("disk.qed", { report: conversion() })])))).not.toMatch(/ Steps /);
});
