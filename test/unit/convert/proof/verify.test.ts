/** States that a target lost are seen from its tables alone, where neither plan nor digest would tell: in `resume`. */

import { describe, expect, test } from "vitest";
import { convert } from "../../../../src/convert/convert.ts";
import { resume } from "../../../../src/convert/recover.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import { buildQedImage } from "../../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { cutAtCommit } from "../../../support/cut-conversion.ts";
import { type Ending, endingOf, expectPutBack, SPARSE } from "../../../support/lying-trial.ts";
import { LyingVolume } from "../../../support/lying-volume.ts";
import type { RecordingVolume } from "../../../support/recording-volume.ts";

const ENTRY_BYTES = 8;
/** Four clusters of 4 KiB. */
const TABLE_BYTES = 4 * 4096;

/** Resumes a QED to QED conversion after its commit; the entry of `cluster` in the new L2 table is once read as `value`. */
async function resumedWith(image: Uint8Array, cluster: number, value: number): Promise<Ending> {
  const options = { checksum: "none", options: { table_size: "4" } } as const;
  const run = (volume: RecordingVolume) => convert(IMAGE_PATH, "qed", options, testHost(volume));
  const files = await cutAtCommit({ [IMAGE_PATH]: image }, run, "committed");
  const table = tableOf(files[IMAGE_PATH] as Uint8Array);
  let lies = 0;
  const ending = await endingOf(new MemoryVolume(files), (volume) => {
    const lying = new LyingVolume(volume, IMAGE_PATH, {
      read(hostOffset, bytes) {
        // Digests of what was added are read in larger pieces.
        if (lies > 0 || hostOffset !== table || bytes.length !== TABLE_BYTES) return;
        bytes.fill(0, cluster * ENTRY_BYTES, (cluster + 1) * ENTRY_BYTES);
        bytes[cluster * ENTRY_BYTES] = value;
        lies++;
      },
    });
    return resume(IMAGE_PATH, {}, testHost(lying));
  });
  expect(lies).toBe(1);
  return ending;
}

/** Where the only L2 table lies: the first entry of the L1 table that the header names. */
function tableOf(bytes: Uint8Array): number {
  const file = Buffer.from(bytes);
  return Number(file.readBigUInt64LE(Number(file.readBigUInt64LE(40))));
}

describe("a target that has lost a state is put back", () => {
  test.each([
    ["data became nothing", 0, 0, undefined],
    ["data became zeros", 0, 1, undefined],
    ["over a backing file, data became nothing", 5, 0, "base.img"],
    ["over a backing file, zeros became nothing", 3, 0, "base.img"],
    ["over a backing file, nothing became zeros", 2, 1, "base.img"],
  ])("%s", async (_, cluster, value, backingName) => {
    const { bytes } = buildQedImage({ ...SPARSE, ...(backingName === undefined ? {} : { backingName }) });
    const ending = await resumedWith(bytes, cluster, value);
    expect(ending.error?.kind).toBe("verification-failed");
    const where = `0x${(cluster * 4096).toString(16)}`;
    expect(ending.error?.message).toContain(`it shows another state than the source at guest offset ${where}`);
    expectPutBack(ending, bytes);
  });
});

test("a target that has another backing file is put back", async () => {
  const { bytes } = buildQedImage({ ...SPARSE, backingName: "base.img" });
  const options = { checksum: "none", options: { table_size: "4" } } as const;
  const run = (volume: RecordingVolume) => convert(IMAGE_PATH, "qed", options, testHost(volume));
  const files = await cutAtCommit({ [IMAGE_PATH]: bytes }, run, "committed");
  const nameOffset = Buffer.from(files[IMAGE_PATH] as Uint8Array).readUInt32LE(56);
  const ending = await endingOf(new MemoryVolume(files), (volume) => {
    const lying = new LyingVolume(volume, IMAGE_PATH, {
      read(hostOffset, name) {
        if (hostOffset === nameOffset && name.length === "base.img".length) name.set(Buffer.from("case.img"));
      },
    });
    return resume(IMAGE_PATH, {}, testHost(lying));
  });
  expect(ending.error?.kind).toBe("verification-failed");
  expect(ending.error?.message).toContain("its backing file is case.img, the source's base.img");
  expectPutBack(ending, bytes);
});
