/** The evidence of conversions: as docs/predicate.md has it, and as in-toto's specification wants a predicate. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PREDICATE_TYPE, predicateOf } from "../../../../src/action/report/predicate.ts";
import type { ImageResult } from "../../../../src/action/results/image-result.ts";
import { statementMistakes } from "../../../support/in-toto.ts";
import { checked, clean, conversion, result, step } from "../../../support/step-results.ts";

const page = readFileSync(new URL("../../../../docs/predicate.md", import.meta.url), "utf8");
const documented = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? "");
const hex = (digit: string) => digit.repeat(64);

const full: ImageResult = result("https://example.org/images/disk.qed.xz", {
  path: "build/disk.vmdk",
  sourceFiles: [{ path: "build/disk.qed", sha256: hex("1"), size: 1_048_576 }],
  files: [
    { path: "build/disk.vmdk", sha256: hex("3"), size: 512 },
    { path: "build/disk-flat.vmdk", sha256: hex("4"), size: 10_737_418_240 },
  ],
  report: conversion({
    targetFormat: "vmdk",
    guestChecksum: { algorithm: "sha256", covers: "guest", before: hex("5"), after: hex("5") },
    guestChanges: [{ guestOffset: 10_737_401_344, length: 16_896, what: "backup header of the GPT" }],
    dropped: ["1 bitmap"],
    check: { before: clean, after: clean },
  }),
  check: checked({ changed: true, corruptionsFixed: 3, leaksFixed: 1, bytesWritten: 4096 }),
  download: {
    url: "https://example.org/images/disk.qed.xz",
    digest: `sha512:${hex("2").repeat(2)}`,
    bytes: 4096,
    fromCache: false,
    warnings: [],
  },
});

/** As JSON has it: what is undefined is not there. */
async function written(results: readonly ImageResult[]) {
  const nameOf = async (file: string) => file.replace(/^build\//, "");
  return JSON.parse(JSON.stringify(await predicateOf(step(results), nameOf)));
}

test("the documented example is what is written", async () => {
  expect(await written([full])).toEqual(documented);
  expect(page).toContain(`Type: \`${PREDICATE_TYPE}\``);
  expect(page).toContain(`--predicate-type ${PREDICATE_TYPE} |`);
});

test("every field is explained", () => {
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));
  const told = rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/[a-zA-Z]+/g)].map(([word]) => word));
  const [image] = documented.images;
  for (const field of [...Object.keys(documented), ...Object.keys(image), ...Object.keys(image.guest)]) {
    expect(told).toContain(field);
  }
});

test("a statement about the resulting files is valid", async () => {
  const predicate = await written([full, full]);
  const subject = (full.files ?? []).map(({ path, sha256 }) => ({ name: path, digest: { sha256 } }));
  const statement = { _type: "https://in-toto.io/Statement/v1", subject, predicateType: PREDICATE_TYPE, predicate };
  expect(statementMistakes(statement)).toEqual([]);
});

test("what is no statement is seen as none", () => {
  const right = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "a", digest: { sha256: hex("a") } }],
    predicateType: "https://example.org/v1",
    predicate: { madeAt: "2026-11-30T01:02:03Z" },
  };
  expect(statementMistakes(right)).toEqual([]);
  for (const wrong of [
    { _type: "https://in-toto.io/Statement/v0.1" },
    { subject: [] },
    { subject: [{ name: "a" }] },
    { subject: [{ name: "a", digest: { sha256: "AB" } }] },
    { predicateType: "HTTPS://example.org/v1" },
    { predicateType: "conversion" },
    { predicate: [] },
    { predicate: { "made-at": 1 } },
    { predicate: { madeAt: "2026-11-30 01:02:03" } },
  ]) {
    expect(statementMistakes({ ...right, ...wrong }), JSON.stringify(wrong)).toHaveLength(1);
  }
});

test("what is not known is absent, and never looks like proof", async () => {
  const report = conversion({
    guestChecksum: { algorithm: "blkhash-sha256", covers: "layer", before: hex("5"), after: null },
    check: { before: null, after: null },
  });
  const file = { path: "a", sha256: hex("1"), size: 1 };
  const { images } = await written([result("a", { report, sourceFiles: [file], files: [file] })]);
  expect(images[0].guest).toEqual({
    size: report.virtualSize,
    covers: "layer",
    digestBefore: { "blkhash-sha256": hex("5") },
    changes: [],
  });
  expect(images[0].checks).toEqual({ before: null, after: null });
  for (const name of ["repair", "download", "furtherFiles"]) expect(JSON.stringify(images)).not.toContain(name);
});

test.each([{ sourceFiles: [] }, { files: [] }, { report: undefined }])(
  "nothing is vouched for without %j",
  async (less) => {
    await expect(written([{ ...full, ...less }])).rejects.toThrow("Cannot vouch for");
  },
);
