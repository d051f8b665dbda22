/** Results as JSON, and read back from the JSON of a report. */

import { expect, test } from "vitest";
import { failureOf, type ImageResult } from "../../../../src/action/results/image-result.ts";
import { resultJson, resultOfJson } from "../../../../src/action/results/result-json.ts";
import { type CheckReport, ImageError } from "../../../../src/index.ts";
import { report } from "../../cli/world.ts";

const finding = {
  severity: "corruption",
  kind: "refcount-mismatch",
  structure: "refcount block",
  hostOffset: 0x90000,
  refcount: 0,
  references: 1,
  message: "Cluster 9 at host offset 0x90000 has refcount 0, but 1 references",
} as const;
const counts = {
  corruptions: 1,
  leaks: 2,
  checkErrors: 0,
  warnings: 0,
  imageEndOffset: 655360,
  totalClusters: 128,
  allocatedClusters: 3,
  fragmentedClusters: 0,
  compressedClusters: 0,
  findings: [finding],
};
const check: CheckReport = {
  ...counts,
  image: "disk.qcow2",
  format: "qcow2",
  verdict: "corrupt",
  exitCode: 2,
  leaksFixed: 3,
  corruptionsFixed: 4,
  changed: true,
  losses: ["a loss"],
  givenUp: [],
  bytesWritten: 1024,
  syncs: 5,
  milliseconds: { check: 3 },
  json: {
    filename: "disk.qcow2",
    format: "qcow2",
    "check-errors": 0,
    "image-end-offset": 655360,
    corruptions: 1,
    leaks: 2,
    "corruptions-fixed": 4,
    "leaks-fixed": 3,
    "total-clusters": 128,
    "allocated-clusters": 3,
    findings: [
      {
        severity: "corruption",
        kind: "refcount-mismatch",
        structure: "refcount block",
        "host-offset": 0x90000,
        refcount: 0,
        references: 1,
        message: finding.message,
      },
    ],
  },
  fixedText: "",
  text: "",
  notes: [],
};
const nothing = { image: "a.qed", path: "a.qed", report: undefined, failure: undefined, recovery: undefined } as const;
const error = new ImageError("corrupt", "Cannot convert a.qed: broken", {
  path: "a.qed",
  format: "qed",
  hostOffset: 4096,
  reasons: ["one", "two"],
});
const download = {
  url: "https://example.org/a.qed",
  digest: `sha256:${"0".repeat(64)}`,
  bytes: 7,
  fromCache: true,
  warnings: ["w"],
};

/** No field is as it would be read where it is absent. */
const counted = {
  ...counts,
  checkErrors: 3,
  warnings: 4,
  fragmentedClusters: 5,
  compressedClusters: 6,
  findings: [{ ...finding, guestOffset: 0x10000, severity: "leak" }],
} as const;
const busy = {
  ...report,
  bytesMoved: 8,
  bytesSettled: 9,
  guestChecksum: { algorithm: "sha256", covers: "layer", before: "ab", after: "cd" },
  check: { before: counted, after: counted },
  dropped: ["snapshots"],
  leaksGivenUp: { clusters: 10, bytes: 11, isSuspicious: true },
  rolledBack: true,
  notes: ["a note"],
} as const;

const results: Readonly<Record<string, ImageResult>> = {
  "everything there is": {
    ...nothing,
    image: "b.qed",
    report: busy,
    check: { ...check, givenUp: ["a name"] },
    download,
    files: [{ path: "a.qed", sha256: "1".repeat(64) }],
  },
  converted: { ...nothing, path: "a.qcow2", report: { ...report, check: { before: counts, after: null } } },
  repaired: { ...nothing, report, check, recovery: "It was resumed" },
  checked: { ...nothing, check, download, notes: ["qemu-img 7.2 found the same"] },
  "a failed check": { ...nothing, check, failure: failureOf(error, undefined) },
  failed: { ...nothing, failure: failureOf(error, "before") },
  planned: { ...nothing, notes: ["Would first repair it"] },
};

test.each(Object.entries(results))("%s: told twice in the same words", (_, result) => {
  const json = resultJson(result);
  expect(resultJson(resultOfJson(JSON.parse(JSON.stringify(json))))).toEqual(json);
});

test("the digest of the file itself is told, and comes back", () => {
  const files = [{ path: "a.qed", sha256: "1".repeat(64) }];
  const json = resultJson({ ...nothing, files });
  expect(json).toMatchObject({ image: "a.qed", "sha256-file": "1".repeat(64) });
  expect(resultOfJson(json).files).toEqual(files);
  expect(resultOfJson({ image: "a.qed", "sha256-file": 7 })).not.toHaveProperty("files");
});

test("what page and summary tell of a check and a conversion comes back", () => {
  const read = (result: ImageResult) => resultOfJson(JSON.parse(JSON.stringify(resultJson(result))));
  expect(read({ ...nothing, check }).check).toEqual({ ...check, image: "a.qed" });
  expect(read({ ...nothing, report: busy, check })).toEqual({
    ...nothing,
    report: { ...busy, image: "a.qed", milliseconds: { write: 50, "roll-back": 2 } },
    check,
  });
});

test.each([
  {},
  { image: "x", "source-format": "qed", check: [], milliseconds: 3, "bytes-written": -1, notes: "no" },
  { image: "x", "check-errors": Number.NaN, findings: [null, 3, { severity: "::error" }], error: "no" },
  { image: { a: 1 }, error: { kind: 7 }, refused: [{}] },
])("%o from elsewhere harms nothing", (json) => {
  const result = resultOfJson(json);
  expect(typeof result.image).toBe("string");
  expect(result.report?.bytesWritten ?? 0).toBe(0);
  expect(() => resultJson(result)).not.toThrow();
});
