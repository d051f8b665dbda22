/** Zeros given up where an image with a snapshot stands: looked at once more before, their counts lowered after. */

import { expect, test } from "vitest";
import { check } from "../../../src/convert/check.ts";
import { convert } from "../../../src/convert/convert.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildQcow2Image } from "../../formats/qcow2/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { failureOf } from "../../support/failure-of.ts";
import { LyingVolume } from "../../support/lying-volume.ts";

const ZEROS = { sparseSize: 4096 } as const;

function withZeros(): { readonly bytes: Uint8Array; readonly data: number } {
  const { bytes, at } = buildQcow2Image({ clusterBits: 12, snapshot: true });
  bytes.fill(0, at.data, at.data + at.clusterSize);
  return { bytes: new Uint8Array(bytes), data: at.data };
}

test("the snapshot keeps its table, and nothing leaks", async () => {
  const { bytes } = withZeros();
  const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
  const report = await convert(IMAGE_PATH, "qcow2", ZEROS, testHost(volume));
  expect(report.path).toEqual([{ step: "rearrange", goal: "zeros" }]);
  expect(report.check.after).toMatchObject({ corruptions: 0, leaks: 0 });
  expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: expect.anything() });
  expect(await check(IMAGE_PATH, {}, testHost(volume))).toMatchObject({ leaks: 0, corruptions: 0 });
  expect(await convert(IMAGE_PATH, "qcow2", ZEROS, testHost(volume))).toMatchObject({ changed: false });
});

test("what holds data by then is not given up", async () => {
  const { bytes, data } = withZeros();
  let reads = 0;
  const volume = new LyingVolume(new MemoryVolume({ [IMAGE_PATH]: bytes }), IMAGE_PATH, {
    read(hostOffset, into) {
      // Zeros for the pass that finds them, data behind it.
      if (hostOffset === data && ++reads > 1) into[9] = 7;
    },
  });
  const failure = await failureOf(convert(IMAGE_PATH, "qcow2", { ...ZEROS, checksum: "none" }, testHost(volume)));
  expect(failure).toMatchObject({
    kind: "changed-underneath",
    message: expect.stringContaining("held zeros and holds data now"),
  });
  expect(reads).toBe(2);
});
