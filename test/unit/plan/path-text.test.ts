/** A path in words, and a plan's text around it. */

import { expect, test } from "vitest";
import { type PathStep, stepTexts, wayBackText } from "../../../src/plan/path-text.ts";
import { type PlanFigures, planText } from "../../../src/plan/plan-text.ts";

const linear: PathStep = { step: "rearrange", goal: "linear" };
const compact: PathStep = { step: "rearrange", goal: "compact" };
const to = (format: string): PathStep => ({ step: "switch", to: format });

test("each step is a phrase; a carrier says where its tables are", () => {
  expect(stepTexts([to("qcow2"), linear, to("raw"), to("vpc")])).toEqual([
    "switch to qcow2, its tables behind the disk",
    "rearrange: each unit to its place",
    "switch to raw",
    "switch to vpc",
  ]);
  expect(stepTexts([to("qcow2"), { step: "rearrange", goal: "encode" }, compact])).toEqual([
    "switch to qcow2",
    "rearrange: each cluster compressed",
    "rearrange: what lies at the end moves into free space, the file gets shorter",
  ]);
});

test("the way back, by how far the path has come", () => {
  expect(wayBackText([to("qcow2")], "qed")).toBe(
    "the old bytes until the undo is given up, then the same guest as qed again",
  );
  expect(wayBackText([to("qcow2"), compact], "raw")).toBe("the old bytes in step 1, then the same guest as raw again");
  expect(wayBackText([compact], "qed")).toBe("the same guest as qed again, units where they are by then");
  expect(wayBackText([compact, to("raw")], "qcow2")).toBe("the same guest as qcow2 again");
});

const figures: PlanFigures = {
  image: "disk.raw",
  sourceFormat: "raw",
  targetFormat: "qcow2",
  virtualSize: 8 * 1024 ** 2,
  clusterSize: 65536,
  bytesWritten: 2048,
  bytesMoved: 1024,
  bytesSettled: 0,
  peakExtraBytes: 4096,
  syncs: 19,
  fileSizeBefore: 8 * 1024 ** 2,
  actualSizeBefore: 1024 ** 2,
  fileSizeAfter: 2 * 1024 ** 2,
  dropped: [],
  refused: [],
  path: [to("qcow2"), compact],
};

test("a plan of several steps numbers them, and tells what a file with holes takes", () => {
  expect(planText("planned", figures).split("\n")).toEqual([
    "disk.raw: raw -> qcow2, inside the file",
    "  steps             1 switch to qcow2",
    "                    2 rearrange: what lies at the end moves into free space, the file gets shorter",
    "  virtual size      8 MiB",
    "  cluster size      64 KiB",
    "  to be written     2 KiB (of a file of 8 MiB, 1 MiB on the disk)",
    "  guest data moved  1 KiB",
    "  settling          nothing to write",
    "  peak extra space  4 KiB",
    "  barriers          about 19 syncs",
    "  file after        2 MiB (-6 MiB)",
    "  left behind       nothing",
    "  rollback          the old bytes in step 1, then the same guest as raw again",
    "",
  ]);
});

test("one switch is not numbered, a format without clusters has no size of them, a format that stays is said once", () => {
  const one = planText("planned", { ...figures, path: [to("raw")], clusterSize: undefined });
  expect(one).not.toMatch(/steps|cluster/);
  const same = planText("planned", { ...figures, sourceFormat: "qcow2", path: [compact] });
  expect(same).toMatch(/^disk\.raw: qcow2 rearranged, inside the file\n {2}steps +1 rearrange/);
});
