import { expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { convert, plan } from "../../../../src/convert/convert.ts";
import { resume, rollback } from "../../../../src/convert/recover.ts";
import { openVdi } from "../../../../src/formats/vdi/image.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { MemoryVolume, memoryStorage } from "../../../../src/storage/memory.ts";
import { buildVdi, MiB } from "../../../formats/vdi/builder.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { failureOf } from "../../../support/failure-of.ts";

const image = () => buildVdi({ virtualSize: 2 * MiB, data: [1] }).bytes;

test("the header's cluster keeps its map from whoever writes there while the image lives", async () => {
  const { usedHeader } = (await openVdi(memoryStorage(image()))).getConversionOptions();
  expect(usedHeader.contains(0, 512 + 2 * 4)).toBe(true);
});

test("a map of entries by the hundred million that a sparse file claims is counted, and only some of it told", async () => {
  const entryCount = 1_000_000;
  const head = Buffer.alloc(512);
  head.set(image().subarray(0, 512));
  head.writeUInt32LE(Math.ceil((512 + entryCount * 4) / 512) * 512, 344);
  head.writeUInt32LE(entryCount, 384);
  const bytes = new Uint8Array(512 + entryCount * 4);
  bytes.set(head);
  let told = 0;
  const found = await checkOf(await openVdi(memoryStorage(bytes)), () => void told++);
  // All entries but the first name block 0 as that does, and the header says that one is allocated.
  expect(found.corruptions).toBe(entryCount);
  expect(told).toBeLessThan(200_000);
});

test("a way of several steps tells that it can't be turned, and no undo is promised for it", async () => {
  const note = /Once the first of its 3 steps is done the way back is closed, since vdi can only be read so far/;
  const volume = new MemoryVolume({ [IMAGE_PATH]: image() });
  expect((await plan(IMAGE_PATH, "raw", {}, testHost(volume))).report.notes.join()).toMatch(note);
  expect(await failureOf(convert(IMAGE_PATH, "raw", { keepUndo: true }, testHost(volume)))).toMatchObject({
    kind: "unsupported",
    message: expect.stringMatching(
      /Cannot keep the way back of .*: vdi can only be read so far, .*leave --keep-undo out/,
    ),
  });
  expect(Buffer.compare(volume.snapshot(IMAGE_PATH), image())).toBe(0);
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
  const { bytes } = buildVdi({ virtualSize: MiB + 8192, data: [1], isCut: "at the disk's end" });
  const ends = { untouched: 0, back: 0, closed: 0 };
  for (let count = 1; ; count += 4) {
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const signal = abortAtQuestion(count);
    const failure = await convert(IMAGE_PATH, "raw", { signal }, testHost(volume)).catch((error) => error);
    if (!(failure instanceof ImageError)) break;
    expect(failure.kind).toBe("interrupted");
    const leadsBack = failure.words.nextSteps?.putBack !== undefined;
    ends[failure.journal === undefined ? "untouched" : leadsBack ? "back" : "closed"]++;
    if (failure.journal === undefined) continue;
    const stood = volume.snapshot(IMAGE_PATH);
    const refusal = await rollback(IMAGE_PATH, {}, testHost(volume)).catch((error) => error);
    if (leadsBack) {
      expect(Buffer.compare(volume.snapshot(IMAGE_PATH), bytes)).toBe(0);
      continue;
    }
    expect(refusal).toMatchObject({
      kind: "unsupported",
      journal: failure.journal,
      message: expect.stringContaining("its old layout was given up, and vdi can only be read so far"),
    });
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), stood)).toBe(0);
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(volume.snapshot(IMAGE_PATH).length).toBe(MiB + 8192);
  }
  expect(ends.untouched).toBeGreaterThan(0);
  expect(ends.back).toBeGreaterThan(0);
  expect(ends.closed).toBeGreaterThan(0);
});
