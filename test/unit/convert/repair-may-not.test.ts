/** What a repair's proof forbids, one plan for each: another disk, other metadata, data that went or moved. */

import { expect, test } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { check } from "../../../src/convert/check.ts";
import type { Repair } from "../../../src/image/repair.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import type { Qcow2Places } from "../../formats/qcow2/builder.ts";
import { buildQcow2Image } from "../../formats/qcow2/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { withPlan } from "../../support/repair-stand-in.ts";

const description = { clusterBits: 12, backingName: "base.img", snapshot: true, bitmap: true };

type Change = (bytes: Buffer, at: Qcow2Places) => readonly [hostOffset: number, bytes: readonly number[]];

test.each<readonly [string, Change, string]>([
  ["another backing file", (bytes) => [bytes.indexOf("base.img"), [0x66]], "its backing file would change"],
  ["fewer snapshots", () => [60, [0, 0, 0, 0]], "its snapshots would change"],
  ["a larger disk", () => [29, [3]], "its size would change"],
  [
    "data that is nothing any more",
    (_, at) => [at.l2, [0, 0, 0, 0, 0, 0, 0, 0]],
    "guest offset 0x0 would show something",
  ],
  ["data that is zeros", (_, at) => [at.l2 + 7, [1]], "guest offset 0x0 would show something else"],
  [
    "data that lies elsewhere",
    (_, at) => [at.l2 + 6, [(at.data >> 8) + 0x20]],
    "guest offset 0x0 would show something",
  ],
  ["another bitmap", bitmapName, "its bitmaps would change"],
])("%s", async (_, change, message) => {
  const { bytes, at } = buildQcow2Image(description);
  const [hostOffset, changed] = change(bytes, at);
  const repair: Repair = {
    additiveWrites: () => [],
    steps: [{ purpose: "go astray", writes: [{ hostOffset, bytes: Uint8Array.from(changed) }] }],
    fileSize: bytes.length,
    mended: [],
    leaksFixed: 0,
    corruptionsFixed: 0,
    losses: [],
    givenUp: [],
  };
  const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
  const run = withPlan(
    async () => repair,
    () => check(IMAGE_PATH, { repair: "all" }, testHost(volume)),
  );
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown as ImageError,
  );
  expect(error).toBeInstanceOf(ImageError);
  expect(error).toMatchObject({ kind: "verification-failed", journal: undefined });
  expect(error?.message).toContain(message);
  expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(bytes) });
});

/** The first byte of the only bitmap's name: behind 24 bytes and the extra data. */
function bitmapName(bytes: Buffer, at: Qcow2Places): readonly [number, readonly number[]] {
  const name = at.bitmapDirectory + 24 + bytes.readUInt32BE(at.bitmapDirectory + 20);
  return [name, [(bytes[name] as number) ^ 1]];
}
