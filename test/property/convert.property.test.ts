/** Whole conversions of generated images in memory: there and back keeps every guest byte, stopping anywhere too. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { convert } from "../../src/convert/convert.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { openImage } from "../../src/formats/registry.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { MemoryVolume, memoryStorage } from "../../src/storage/memory.ts";
import { buildQedImage, type QedImageDescription } from "../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../support/crash-scenario.ts";

const SECTOR = 512;

const description: fc.Arbitrary<QedImageDescription> = fc
  .record({
    clusterSize: fc.constantFrom(4096, 8192, 16384),
    tableSize: fc.constantFrom(1, 2, 4),
    headerSize: fc.constantFrom(1, 1, 2),
    clusters: fc.integer({ min: 1, max: 30 }),
    sectorsLess: fc.nat(7),
    kinds: fc.array(fc.constantFrom("data", "data", "zero", "nothing"), { minLength: 30, maxLength: 30 }),
    seed: fc.nat(1000),
    shuffleTables: fc.boolean(),
    tables: fc.constantFrom("first" as const, "last" as const),
    leaks: fc.constantFrom(0, 0, 1, 4),
    tail: fc.constantFrom(0, 0, 1, 700),
    staleHeaderByte: fc.constantFrom(undefined, undefined, 0xcc),
    autoclearFeatures: fc.constantFrom(0n, 1n << 7n),
  })
  .map(({ clusters, sectorsLess, kinds, staleHeaderByte, ...rest }) => {
    const numbers = Array.from({ length: clusters }, (_, cluster) => cluster);
    return {
      ...rest,
      virtualSize: clusters * rest.clusterSize - sectorsLess * SECTOR,
      data: numbers.filter((cluster) => kinds[cluster] === "data"),
      zero: numbers.filter((cluster) => kinds[cluster] === "zero"),
      ...(staleHeaderByte === undefined ? {} : { staleHeaderByte }),
    };
  });

const qcow2Options = fc.constantFrom<Record<string, string>>(
  {},
  {},
  { cluster_size: "512" },
  { cluster_size: "4k", refcount_bits: "1" },
  { cluster_size: "64k" },
  { compat: "0.10" },
  { lazy_refcounts: "on", refcount_bits: "64" },
);
const qedOptions = fc.constantFrom<Record<string, string>>({}, {}, { cluster_size: "4k" }, { cluster_size: "32k" });

async function guestOf(bytes: Uint8Array): Promise<Uint8Array> {
  const image = await openImage(memoryStorage(bytes));
  const guest = new Uint8Array(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return guest;
}

async function expectClean(volume: MemoryVolume, format: string, guest: Uint8Array): Promise<void> {
  expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  const bytes = volume.snapshot(IMAGE_PATH);
  const image = await openImage(memoryStorage(bytes));
  const { corruptions, leaks, checkErrors } = await image.check();
  expect({ format: image.format, corruptions, leaks, checkErrors }).toEqual({
    format,
    corruptions: 0,
    leaks: 0,
    checkErrors: 0,
  });
  expect(bytes.length % image.clusterSize).toBe(0);
  expect(Buffer.compare(await guestOf(bytes), guest)).toBe(0);
}

test("QED -> qcow2 -> other qcow2 -> QED -> other QED keeps every guest byte, clean at each step", async () => {
  await fc.assert(
    fc.asyncProperty(
      description,
      fc.tuple(qcow2Options, qcow2Options),
      fc.tuple(qedOptions, qedOptions),
      async (image, [first, second], [third, fourth]) => {
        const { bytes, guest } = buildQedImage(image);
        const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
        for (const [format, options] of [
          ["qcow2", first],
          ["qcow2", second],
          ["qed", third],
          ["qed", { ...fourth, table_size: "8" }],
        ] as const) {
          const report = await convert(IMAGE_PATH, format, { options }, testHost(volume));
          await expectClean(volume, format, guest);
          expect(report.fileSizeAfter).toBe(volume.snapshot(IMAGE_PATH).length);
          expect(report.guestChecksum?.after).toBe(report.guestChecksum?.before);
        }
      },
    ),
    { numRuns: 25, seed: 2011 },
  );
});

test("the undo that was kept gives the old bytes back", async () => {
  await fc.assert(
    fc.asyncProperty(description, qcow2Options, async (image, options) => {
      const { bytes } = buildQedImage(image);
      const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
      await convert(IMAGE_PATH, "qcow2", { options, keepUndo: true }, testHost(volume));
      await rollback(IMAGE_PATH, {}, testHost(volume));
      expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: bytes });
    }),
    { numRuns: 25, seed: 2011 },
  );
});

/** Says yes from the `count`-th question on: each is a safe point. */
function abortAtQuestion(count: number): AbortSignal {
  let asked = 0;
  const signal = new AbortController().signal;
  Object.defineProperty(signal, "aborted", { get: () => ++asked >= count });
  return signal;
}

test("stopped at any safe point, the image is as it was or its journal leads either way", async () => {
  const shuffled = {
    virtualSize: 20 * 4096,
    data: [0, 2, 4, 6, 8, 19],
    zero: [3],
    seed: 7,
    shuffleTables: true,
    leaks: 2,
  };
  const qed = buildQedImage(shuffled);
  const made = new MemoryVolume({ [IMAGE_PATH]: qed.bytes });
  await convert(IMAGE_PATH, "qcow2", {}, testHost(made));
  for (const [source, from, to] of [
    [qed.bytes, "qed", "qcow2"],
    [made.snapshot(IMAGE_PATH), "qcow2", "qed"],
  ] as const) {
    const ends = { untouched: 0, stands: 0 };
    for (let count = 1; ; count++) {
      const volume = new MemoryVolume({ [IMAGE_PATH]: source });
      const signal = abortAtQuestion(count);
      const error = await convert(IMAGE_PATH, to, { signal, options: {} }, testHost(volume)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error === undefined) break;
      expect(error).toBeInstanceOf(ImageError);
      const { kind, journal } = error as ImageError;
      expect(kind).toBe("interrupted");
      expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), qed.guest)).toBe(0);
      if (journal === undefined) {
        expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: source });
        ends.untouched++;
        continue;
      }
      ends.stands++;
      const back = new MemoryVolume(volume.snapshots());
      await resume(IMAGE_PATH, {}, testHost(volume));
      await expectClean(volume, to, qed.guest);
      await rollback(IMAGE_PATH, {}, testHost(back));
      await expectBack(back, from, qed.guest);
    }
    expect(ends.untouched).toBeGreaterThan(0);
    expect(ends.stands).toBeGreaterThan(3);
  }
});

/** The old bytes may leak, as they did before. */
async function expectBack(volume: MemoryVolume, format: string, guest: Uint8Array): Promise<void> {
  expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  const bytes = volume.snapshot(IMAGE_PATH);
  expect((await openImage(memoryStorage(bytes))).format).toBe(format);
  expect(Buffer.compare(await guestOf(bytes), guest)).toBe(0);
}
