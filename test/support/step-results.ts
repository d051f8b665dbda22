/** Results of steps that never ran, with every kind of outcome, for what is told about them. */

import type { ImageResult } from "../../src/action/results/image-result.ts";
import type { Provenance } from "../../src/action/results/provenance.ts";
import type { StepResult } from "../../src/action/results/step-result.ts";
import { RangeSet } from "../../src/bytes/range-set.ts";
import { ExtentState, ExtentTableBuilder } from "../../src/image/extent.ts";
import { fileLayout } from "../../src/image/file-layout.ts";
import type { CheckReport, CheckResult, ConversionReport, FileLayout, Finding, LayoutKind } from "../../src/index.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

export const clean: CheckResult = {
  corruptions: 0,
  leaks: 0,
  checkErrors: 0,
  warnings: 0,
  imageEndOffset: 4 * GiB,
  totalClusters: 163_840,
  allocatedClusters: 49_152,
  fragmentedClusters: 12,
  compressedClusters: 0,
  findings: [],
};

/** One character a piece of the file: `H` header, `T` tables, `D` data, `C` compressed, anything else free. */
export function layoutOf(letters: string, pieceSize: number): FileLayout {
  const metadata = new RangeSet();
  const table = new ExtentTableBuilder();
  for (const [index, letter] of [...letters].entries()) {
    const start = index * pieceSize;
    if (letter === "H" || letter === "T") metadata.add(start, start + pieceSize);
    if (letter === "D") table.append(pieceSize, ExtentState.data, start);
    if (letter === "C") table.append(2 * pieceSize, ExtentState.compressed, start, pieceSize);
  }
  const mapping = table.finish(table.end);
  return fileLayout({ mapping, metadata, clusterSize: pieceSize, fileSize: letters.length * pieceSize });
}

export function conversion(changes: Partial<ConversionReport> = {}): ConversionReport {
  const digest = "5f2a90c1".repeat(8);
  return {
    image: "disk.qed",
    sourceFormat: "qed",
    targetFormat: "qcow2",
    changed: true,
    virtualSize: 10 * GiB,
    clusterSize: 64 * KiB,
    guestDataBytes: 3 * GiB,
    bytesWritten: 1_720_320,
    bytesMoved: 0,
    bytesSettled: 0,
    peakExtraBytes: 1_736_704,
    syncs: 7,
    fileSizeBefore: 3.2 * GiB,
    fileSizeAfter: 3.2 * GiB + 1_703_936,
    guestChecksum: { algorithm: "blkhash-sha256", covers: "guest", before: digest, after: digest },
    check: { before: clean, after: clean },
    path: [{ step: "switch", to: "qcow2" }],
    dropped: [],
    refused: [],
    rolledBack: false,
    milliseconds: { inspect: 12, checksum: 840, write: 1100, settle: 30 },
    notes: [],
    ...changes,
  };
}

export function finding(index: number, changes: Partial<Finding> = {}): Finding {
  const hostOffset = 0x50000 + index * 0x10000;
  return {
    severity: "corruption",
    kind: "refcount-mismatch",
    structure: "refcount block 0",
    hostOffset,
    refcount: 0,
    references: 1,
    message: `cluster ${5 + index} has refcount ${changes.refcount ?? 0} and ${changes.references ?? 1} references`,
    ...changes,
  };
}

export function checked(changes: Partial<CheckReport> = {}): CheckReport {
  return {
    ...clean,
    image: "disk.qcow2",
    format: "qcow2",
    verdict: "clean",
    exitCode: 0,
    changed: false,
    leaksFixed: 0,
    corruptionsFixed: 0,
    losses: [],
    givenUp: [],
    bytesWritten: 0,
    syncs: 0,
    milliseconds: {},
    json: {},
    fixedText: "",
    text: "",
    notes: [],
    ...changes,
  };
}

export function result(image: string, changes: Partial<ImageResult> = {}): ImageResult {
  return { image, path: image, report: undefined, failure: undefined, recovery: undefined, ...changes };
}

export const provenance: Provenance = {
  tool: "inplace-convert",
  toolVersion: "1.2.3",
  time: "2026-11-30T01:02:03.000Z",
  repository: "org/images",
  commit: "0123456789abcdef0123456789abcdef01234567",
  runId: "16012345678",
  runAttempt: "2",
};

export function step(results: readonly ImageResult[], changes: Partial<StepResult> = {}): StepResult {
  return { mode: "convert", targetFormat: "qcow2", dryRun: false, results, provenance, ...changes };
}

/** A layout as its runs say, sizes in MiB. */
function drawn(...runs: readonly (readonly [kind: LayoutKind, size: number])[]): FileLayout {
  const bytes = { header: 0, tables: 0, data: 0, compressed: 0, free: 0 };
  let start = 0;
  const list = runs.map(([kind, size]) => {
    const run = { start, length: size * MiB, kind };
    bytes[kind] += run.length;
    start += run.length;
    return run;
  });
  return { fileSize: start, bytes, isExact: true, runs: list };
}

/** What a small night's work leaves: a switch, one with compressed clusters, one that was right already, a refusal. */
export function nightlyStep(): StepResult {
  const before = drawn(
    ...([
      ["header", 0.0625],
      ["tables", 0.5],
      ["data", 1210],
      ["free", 38],
      ["data", 420],
    ] as const),
    ...([
      ["tables", 0.25],
      ["data", 515],
      ["free", 96],
      ["data", 700],
      ["free", 12],
      ["data", 64],
    ] as const),
  );
  const after = drawn(
    ...([
      ["header", 0.0625],
      ["free", 0.5],
      ["data", 1210],
      ["free", 38],
      ["data", 420],
    ] as const),
    ...([
      ["free", 0.25],
      ["data", 515],
      ["free", 96],
      ["data", 700],
      ["free", 12],
      ["data", 64],
    ] as const),
    ...([["tables", 1.625]] as const),
  );
  const grown = conversion({
    fileSizeBefore: before.fileSize,
    fileSizeAfter: after.fileSize,
    guestDataBytes: before.bytes.data,
    layout: { before, after },
  });
  const packed = drawn(
    ...([
      ["header", 0.0625],
      ["tables", 1.25],
      ["compressed", 148],
      ["data", 96],
      ["compressed", 60],
    ] as const),
    ...([
      ["data", 310],
      ["free", 24],
      ["compressed", 92],
      ["data", 280],
    ] as const),
  );
  const inflated = drawn(
    ...([
      ["header", 0.0625],
      ["free", 149.25],
      ["data", 96],
      ["free", 60],
    ] as const),
    ...([
      ["data", 310],
      ["free", 116],
      ["data", 280],
      ["data", 640],
      ["tables", 1.5],
    ] as const),
  );
  const moving = conversion({
    image: "builder-cache.qcow2",
    sourceFormat: "qcow2",
    clusterSize: 2 * MiB,
    virtualSize: 40 * GiB,
    guestDataBytes: inflated.bytes.data,
    bytesMoved: 640 * MiB,
    bytesWritten: 642 * MiB,
    peakExtraBytes: 642 * MiB,
    fileSizeBefore: packed.fileSize,
    fileSizeAfter: inflated.fileSize,
    check: { before: { ...clean, leaks: 24 }, after: clean },
    milliseconds: { inspect: 20, checksum: 1900, write: 4200 },
    layout: { before: packed, after: inflated },
    notes: ["Other processes' locks can't be seen here, since this runs in a container"],
  });
  const refusal =
    "Cannot convert images/release-2024.qcow2: its snapshots can't be kept; delete them or use drop: snapshots";
  return step([
    result("images/debian-12-nightly.qed", { path: "images/debian-12-nightly.qcow2", report: grown }),
    result("images/builder-cache.qcow2", { report: moving }),
    result("images/base.qcow2", { report: conversion({ changed: false, sourceFormat: "qcow2" }) }),
    result("images/release-2024.qcow2", {
      failure: {
        kind: "unsupported",
        message: refusal,
        reasons: [
          "its snapshots can't be kept; delete them or use drop: snapshots",
          "its bitmap nightly can't be kept",
        ],
        advice: "The image is as it was",
        details: {},
      },
    }),
  ]);
}

/** A raw disk on its way: to qcow2, and from there to a fixed VHD, by the steps that this takes. */
export function pathsStep(): StepResult {
  const pieces = [
    ["data", 1900],
    ["free", 2300],
    ["data", 620],
    ["free", 1800],
    ["data", 480],
    ["free", 1092],
  ] as const;
  const raw = drawn(...pieces);
  const qcow2 = drawn(["header", 0.0625], ["data", 2100], ["tables", 1.25], ["data", 900]);
  const vhd = drawn(...pieces, ["tables", 1 / 2048]);
  const checked = { check: { before: clean, after: clean }, virtualSize: 8 * GiB, guestDataBytes: raw.bytes.data };
  const toQcow2 = conversion({
    ...checked,
    sourceFormat: "raw",
    bytesMoved: 900 * MiB,
    bytesWritten: 902 * MiB,
    peakExtraBytes: 17.5 * MiB,
    path: [
      { step: "switch", to: "qcow2" },
      { step: "rearrange", goal: "compact" },
    ],
    fileSizeBefore: raw.fileSize,
    fileSizeAfter: qcow2.fileSize,
    actualSizeBefore: raw.bytes.data,
    actualSizeAfter: qcow2.fileSize,
    layout: { before: raw, after: qcow2 },
  });
  const toVhd = conversion({
    ...checked,
    sourceFormat: "qcow2",
    targetFormat: "vpc",
    bytesMoved: 1100 * MiB,
    bytesWritten: 1103 * MiB,
    peakExtraBytes: 18.2 * MiB,
    path: [
      { step: "switch", to: "qcow2" },
      { step: "rearrange", goal: "linear" },
      { step: "switch", to: "raw" },
      { step: "switch", to: "vpc" },
    ],
    fileSizeBefore: qcow2.fileSize,
    fileSizeAfter: vhd.fileSize,
    actualSizeBefore: qcow2.fileSize,
    actualSizeAfter: raw.bytes.data,
    layout: { before: qcow2, after: vhd },
  });
  return step(
    [
      result("build/disk.raw", { path: "build/disk.qcow2", report: toQcow2 }),
      result("azure/disk.qcow2", { path: "azure/disk.vhd", report: toVhd }),
    ],
    { targetFormat: undefined },
  );
}

/** A check on a pull request: clean, repaired, leaking, corrupt. */
export function checkStep(): StepResult {
  const corrupt = checked({
    verdict: "corrupt",
    exitCode: 2,
    corruptions: 37,
    leaks: 4,
    findings: [
      ...Array.from({ length: 4 }, (_, index) =>
        finding(900 + index, {
          severity: "leak",
          refcount: 1,
          references: 0,
        }),
      ),
      ...Array.from({ length: 37 }, (_, index) => finding(index)),
    ],
  });
  const leaks = Array.from({ length: 12 }, (_, index) =>
    finding(index, { severity: "leak", references: 0, refcount: 1 }),
  );
  return step(
    [
      result("images/desktop.qcow2", { check: checked() }),
      result("images/server.qcow2", { check: checked({ changed: true, leaksFixed: 210, corruptionsFixed: 2 }) }),
      result("images/ci-runner.qcow2", {
        check: checked({ verdict: "leaks", exitCode: 3, leaks: 12, findings: leaks }),
      }),
      result("images/router.qcow2", {
        check: corrupt,
        failure: {
          kind: "corrupt",
          message: "Cannot trust images/router.qcow2: the check found 37 corruptions and 4 leaked clusters",
          reasons: [],
          advice: "Set repair to all, or take a fresh copy of it",
          details: {},
        },
      }),
    ],
    { mode: "check", targetFormat: undefined },
  );
}

/** What a plan foretells, and the jobs of its matrix. */
export function planStep(): StepResult {
  const [first, second] = nightlyStep().results;
  const guestChecksum = { algorithm: "blkhash-sha256", covers: "guest", before: null, after: null } as const;
  const foretold = { changed: false, milliseconds: {}, guestChecksum, check: { before: clean, after: null } };
  const planned = [first, second].flatMap((each) =>
    each?.report ? [{ ...each, path: each.image, report: { ...each.report, ...foretold } }] : [],
  );
  const urls = ["https://images.example.org/a.qed", "https://images.example.org/b.qed"].map((url) => result(url));
  const include = [
    { shard: 1, images: planned.map(({ image }) => image).join("\n") },
    { shard: 2, images: urls.map(({ image }) => image).join("\n") },
  ];
  return step([...planned, ...urls], { mode: "plan", dryRun: true, matrix: { include } });
}

/** Many images, names of every kind, collected from several jobs. */
export function busyStep(): StepResult {
  const names = [
    `builds/${"a-very-long-name-that-nothing-breaks".repeat(4)}.qed`,
    "בניין/תמונה.qed",
    'with spaces & <brackets> "quotes".qed',
    "evil\u202egnp.qed",
    "::set-output name=x::y\n.qed",
  ];
  const converted = Array.from({ length: 30 }, (_, index) => {
    const name = names[index % 7] ?? `images/disk-${index}.qed`;
    return result(name, { report: conversion({ bytesWritten: index * 70_000, guestDataBytes: index * 90 * MiB }) });
  });
  return step([...converted, ...checkStep().results], { mode: "collect", targetFormat: undefined });
}
