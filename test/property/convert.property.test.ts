/** Whole conversions of generated images in memory: there and back keeps every guest byte, stopping anywhere too. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { convert } from "../../src/convert/convert.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { openImage } from "../../src/formats/registry.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { checkOf } from "../../src/image/source.ts";
import { MemoryVolume, memoryStorage } from "../../src/storage/memory.ts";
import type { FormatKit, OptionTexts } from "../formats/kit.ts";
import { optionsOf, pairs, runsOf, type Target, targets } from "../formats/kits.ts";
import { IMAGE_PATH, testHost } from "../support/crash-scenario.ts";

async function guestOf(bytes: Uint8Array): Promise<Uint8Array> {
  const image = await openImage(memoryStorage(bytes));
  const guest = new Uint8Array(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return guest;
}

async function expectClean(volume: MemoryVolume, kit: FormatKit, guest: Uint8Array): Promise<void> {
  expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  const bytes = volume.snapshot(IMAGE_PATH);
  const image = await openImage(memoryStorage(bytes));
  const { corruptions, leaks, checkErrors } = await checkOf(image);
  expect({ format: image.format, corruptions, leaks, checkErrors }).toEqual({
    format: kit.name,
    corruptions: 0,
    leaks: 0,
    checkErrors: 0,
  });
  // Where clusters begin at any sector the file ends at any.
  expect(bytes.length % image.getConversionOptions().sharingSize).toBe(0);
  expect(Buffer.compare(await guestOf(bytes), guest)).toBe(0);
  expect(Buffer.compare(kit.naiveRead(bytes), guest)).toBe(0);
}

/** Back again is for those that are a target themselves. */
const there = pairs.flatMap(({ from, to }) =>
  targets
    .filter(({ name }) => name === from.name)
    .map(({ target }) => {
      const name = `${from.title} -> ${to.title} -> other ${to.title} -> ${from.title} -> other ${from.title}`;
      return [name, { ...from, target }, to] as const;
    }),
);

test.each(there)("%s keeps every guest byte, clean at each step", async (_name, from, to) => {
  const own = fc.tuple(fc.constantFrom(...from.target.options), fc.constantFrom(...from.target.options));
  const others = fc.tuple(fc.constantFrom(...to.target.options), fc.constantFrom(...to.target.options));
  await fc.assert(
    fc.asyncProperty(from.source.anyImage, others, own, async ({ bytes, guest }, [first, second], [third, fourth]) => {
      expect(Buffer.compare(from.naiveRead(bytes), guest)).toBe(0);
      const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
      const turns: [Target, OptionTexts][] = [
        [to, first],
        [to, second],
        [from, third],
        [from, { ...fourth, ...from.target.unlikeDefault }],
      ];
      for (const [kit, options] of turns) {
        const report = await convert(IMAGE_PATH, kit.name, { options }, testHost(volume));
        await expectClean(volume, kit, guest);
        expect(report.fileSizeAfter).toBe(volume.snapshot(IMAGE_PATH).length);
        expect(report.guestChecksum?.after).toBe(report.guestChecksum?.before);
      }
    }),
    { numRuns: runsOf({ from, to }, from.target.runs), seed: 2011 },
  );
});

test.each(pairs)("the undo that was kept gives the old bytes back: $from.title -> $to.title", async ({ from, to }) => {
  await fc.assert(
    fc.asyncProperty(from.source.anyImage, fc.constantFrom(...to.target.options), async ({ bytes, guest }, options) => {
      const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
      const isKept = await keepsUndo(volume, to.name, options);
      if (isKept === "nothing") return expectSame(volume, bytes);
      await rollback(IMAGE_PATH, {}, testHost(volume));
      if (isKept === "the guest") await expectBack(volume, from.name, guest);
      else expectSame(volume, bytes);
    }),
    { numRuns: runsOf({ from, to }), seed: 2011 },
  );
});

/** What the undo can lead back to: behind a step that made room for the target the old layout is gone, and so is what is never written. */
async function keepsUndo(volume: MemoryVolume, format: string, options: OptionTexts) {
  try {
    const { path, notes } = await convert(IMAGE_PATH, format, { options, keepUndo: true }, testHost(volume));
    const isTold = notes.some((note) => `${note}`.includes("not the old bytes"));
    expect(isTold).toBe(path.length > 1);
    return path.length > 1 ? "the guest" : "every byte";
  } catch (error) {
    expect(`${error}`).toContain("can only be read so far, and the old bytes can't be kept beside it");
    return "nothing";
  }
}

/** Nothing but the image, byte for byte; by no matcher, which would look at each of millions. */
function expectSame(volume: MemoryVolume, bytes: Uint8Array): void {
  expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  expect(Buffer.compare(volume.snapshot(IMAGE_PATH), bytes)).toBe(0);
}

/** Says yes from the `count`-th question on: each is a safe point. */
function abortAtQuestion(count: number): AbortSignal {
  let asked = 0;
  const signal = new AbortController().signal;
  Object.defineProperty(signal, "aborted", { get: () => ++asked >= count });
  return signal;
}

test.each(pairs)(
  "stopped at any safe point, the image is as it was or its journal leads either way: $from.title -> $to.title",
  async ({ from, to }) => {
    const { bytes: source, guest } = from.source.shuffled();
    const ends = { untouched: 0, stands: 0, finishedOnly: 0 };
    const options = optionsOf({ from, to });
    const comesBack = from.target !== undefined || from.source.comesBack === true;
    // Of large ones not every point, since each takes long.
    const step = to.target.runs === undefined ? 1 : 3;
    for (let count = 1; ; count += step) {
      const volume = new MemoryVolume({ [IMAGE_PATH]: source });
      const signal = abortAtQuestion(count);
      const error = await convert(IMAGE_PATH, to.name, { signal, options }, testHost(volume)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error === undefined) break;
      expect(error).toBeInstanceOf(ImageError);
      const { kind, journal, words } = error as ImageError;
      expect(kind).toBe("interrupted");
      expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), guest)).toBe(0);
      if (journal === undefined) {
        expectSame(volume, source);
        ends.untouched++;
        continue;
      }
      ends.stands++;
      const back = new MemoryVolume(volume.snapshots());
      await resume(IMAGE_PATH, {}, testHost(volume));
      await expectClean(volume, to, guest);
      if (words.nextSteps?.putBack === undefined && !comesBack) {
        // What is never written can't be made again, once its old layout was given up: so it is told, and nothing is touched.
        const stood = back.snapshot(IMAGE_PATH);
        await expect(rollback(IMAGE_PATH, {}, testHost(back))).rejects.toMatchObject({ kind: "unsupported", journal });
        expect(Buffer.compare(back.snapshot(IMAGE_PATH), stood)).toBe(0);
        await resume(IMAGE_PATH, {}, testHost(back));
        await expectClean(back, to, guest);
        ends.finishedOnly++;
        continue;
      }
      await rollback(IMAGE_PATH, {}, testHost(back));
      await expectBack(back, from.name, guest);
    }
    expect(ends.untouched).toBeGreaterThan(0);
    expect(ends.stands).toBeGreaterThan(3);
    // Where there is something to settle, the old layout is given up before that.
    if (comesBack) expect(ends.finishedOnly).toBe(0);
    else if (!to.target.countsReferences || to.target.needsFront) expect(ends.finishedOnly).toBeGreaterThan(0);
  },
);

/** The old bytes may leak, as they did before. */
async function expectBack(volume: MemoryVolume, format: string, guest: Uint8Array): Promise<void> {
  expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  const bytes = volume.snapshot(IMAGE_PATH);
  expect((await openImage(memoryStorage(bytes))).format).toBe(format);
  expect(Buffer.compare(await guestOf(bytes), guest)).toBe(0);
}
