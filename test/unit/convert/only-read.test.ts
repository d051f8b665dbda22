/** A kind of image that is never written, here a split VMDK of one file: its way back closes where its old layout goes, and that is told. */

import { expect, test } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { convert, plan } from "../../../src/convert/convert.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildDescriptor } from "../../formats/vmdk/builder.ts";
import { buildSparse } from "../../formats/vmdk/sparse/builder.ts";
import { testHost } from "../../support/crash-scenario.ts";
import { failureOf } from "../../support/failure-of.ts";

const VIRTUAL_SIZE = 5 * 4096;
const IMAGE_PATH = "/vm/disk.vmdk";
const DISK_PATH = "/vm/disk-s001.vmdk";

/** The file of its grains has no descriptor of its own. */
function image(): Uint8Array {
  const { bytes } = buildSparse({ virtualSize: VIRTUAL_SIZE, data: [1, 3] });
  return new Uint8Array(bytes.fill(0, 28, 44));
}

function volumeOf(bytes: Uint8Array): MemoryVolume {
  const extents = [`RW ${VIRTUAL_SIZE / 512} SPARSE "disk-s001.vmdk"`];
  const text = buildDescriptor({ createType: "twoGbMaxExtentSparse", extents });
  return new MemoryVolume({ [IMAGE_PATH]: new Uint8Array(text), [DISK_PATH]: bytes });
}

test("a way of several steps tells that it can't be turned, and no undo is promised for it", async () => {
  const note =
    /Once the first of its \d steps is done the way back is closed, since vmdk \(twoGbMaxExtentSparse\) can only be read so far/;
  const volume = volumeOf(image());
  expect((await plan(IMAGE_PATH, "raw", {}, testHost(volume))).report.notes.join()).toMatch(note);
  expect(await failureOf(convert(IMAGE_PATH, "raw", { keepUndo: true }, testHost(volume)))).toMatchObject({
    kind: "unsupported",
    message: expect.stringMatching(
      /Cannot keep the way back of .*: vmdk \(twoGbMaxExtentSparse\) can only be read so far, .*leave --keep-undo out/,
    ),
  });
  expect(Buffer.compare(volume.snapshot(DISK_PATH), image())).toBe(0);
  expect((await convert(IMAGE_PATH, "raw", {}, testHost(volume))).notes.join()).toMatch(note);
});

/** Says yes from the `count`-th question on: each is a safe point. */
function abortAtQuestion(count: number): AbortSignal {
  let asked = 0;
  const { signal } = new AbortController();
  Object.defineProperty(signal, "aborted", { get: () => ++asked >= count });
  return signal;
}

test("an interrupted way of several steps names resume alone once it must, and rollback touches nothing then", async () => {
  const bytes = image();
  const ends = { untouched: 0, back: 0, closed: 0 };
  for (let count = 1; ; count += 4) {
    const volume = volumeOf(bytes);
    const signal = abortAtQuestion(count);
    const failure = await convert(IMAGE_PATH, "raw", { signal }, testHost(volume)).catch((error) => error);
    if (!(failure instanceof ImageError)) break;
    expect(failure.kind).toBe("interrupted");
    const leadsBack = failure.words.nextSteps?.putBack !== undefined;
    ends[failure.journal === undefined ? "untouched" : leadsBack ? "back" : "closed"]++;
    if (failure.journal === undefined) continue;
    const stood = volume.snapshot(DISK_PATH);
    const refusal = await rollback(IMAGE_PATH, {}, testHost(volume)).catch((error) => error);
    if (leadsBack) {
      expect(Buffer.compare(volume.snapshot(DISK_PATH), bytes)).toBe(0);
      continue;
    }
    expect(refusal).toMatchObject({
      kind: "unsupported",
      journal: failure.journal,
      message: expect.stringContaining(
        "its old layout was given up, and vmdk (twoGbMaxExtentSparse) can only be read so far",
      ),
    });
    expect(Buffer.compare(volume.snapshot(DISK_PATH), stood)).toBe(0);
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(volume.snapshot(DISK_PATH).length).toBe(VIRTUAL_SIZE);
  }
  expect(ends.untouched).toBeGreaterThan(0);
  expect(ends.back).toBeGreaterThan(0);
  expect(ends.closed).toBeGreaterThan(0);
});
