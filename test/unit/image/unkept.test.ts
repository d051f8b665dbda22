/** What a target has no place for: each thing refused with what to do, or given up by its own word alone. */

import { expect, test } from "vitest";
import { judgeUnkept } from "../../../src/image/unkept.ts";
import { plainSource } from "../../formats/qcow2/target-image.ts";

const WORDS = { hasNone: "QED has none", name: "QED" };
const RICH = plainSource({
  snapshotCount: 2,
  bitmapNames: ["a", "b"],
  encryption: "luks",
  hasDataFile: true,
  forgettable: ["unknown autoclear feature bit 7"],
});

test("all of it at once, in one wording", () => {
  const { refusals, dropped } = judgeUnkept(RICH, WORDS, new Set());
  expect(refusals.map(String)).toEqual([
    "Cannot keep 2 snapshots: QED has none; delete them or use --drop snapshots",
    "Cannot keep the bitmaps a, b: QED has none; remove them or use --drop bitmaps",
    "Cannot keep the luks encryption: QED has none; decrypt the image with qemu-img convert first",
    "Cannot point at an external data file: QED keeps its data in the image; convert it with qemu-img first",
  ]);
  expect(dropped).toEqual(["unknown autoclear feature bit 7"]);
});

test("only what may be given up is, each by its own word", () => {
  const snapshots = judgeUnkept(RICH, WORDS, new Set(["snapshots"]));
  expect(snapshots.refusals).toHaveLength(3);
  expect(snapshots.dropped).toEqual(["unknown autoclear feature bit 7", "2 snapshots"]);
  const bitmaps = judgeUnkept(RICH, WORDS, new Set(["bitmaps", "encryption", "leaks"]));
  expect(bitmaps.refusals).toHaveLength(3);
  expect(bitmaps.dropped).toEqual(["unknown autoclear feature bit 7", "bitmap a", "bitmap b"]);
});

test("nothing of a plain source", () => {
  expect(judgeUnkept(plainSource({}), WORDS, new Set())).toEqual({ refusals: [], dropped: [] });
});
