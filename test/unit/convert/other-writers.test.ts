/** Another program writes to the image while we work on it, taking no lock: what it wrote is not lost, whenever it does. */

import { describe, expect, test } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { check } from "../../../src/convert/check.ts";
import { convert } from "../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../src/convert/options/options.ts";
import { resume } from "../../../src/convert/recover.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { extentAt, findRow } from "../../../src/image/extent.ts";
import { GuestReader } from "../../../src/image/guest/reader.ts";
import { openGuestView } from "../../../src/image/guest/view.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { buildQcow2Image } from "../../formats/qcow2/builder.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { fewScenarios, IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { InterferingVolume, scribble } from "../../support/interfering-volume.ts";

const MARK = new TextEncoder().encode("written by another program");

async function guestOf(bytes: Uint8Array): Promise<Uint8Array> {
  const image = await openImage(memoryStorage(bytes));
  const guest = new Uint8Array(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return guest;
}

/** Where the guest's bytes lie in an image as somebody opened it once. */
async function placeOf(bytes: Uint8Array, guestOffset: number): Promise<number> {
  const extents = await (await openImage(memoryStorage(bytes))).getMapping();
  const row = extentAt(extents, findRow(extents, guestOffset));
  expect(row.hostOffset).toBeGreaterThan(0);
  return row.hostOffset + guestOffset - row.guestOffset;
}

/** Performs, with somebody writing after the n-th call; then `resume` where a journal stands. Returns the error's kind. */
async function disturbed(
  files: Record<string, Uint8Array>,
  perform: (volume: InterferingVolume) => Promise<unknown>,
  nth: number,
  hostOffset: number,
  isBlind = false,
): Promise<{ readonly kind: string | undefined; readonly memory: MemoryVolume }> {
  const memory = new MemoryVolume(files);
  const volume = new InterferingVolume(
    memory,
    { nth, perform: (inner) => scribble(inner, IMAGE_PATH, hostOffset, MARK) },
    isBlind,
  );
  let kind: string | undefined;
  try {
    await perform(volume);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    kind = error.kind;
    if (error.journal !== undefined) await resume(IMAGE_PATH, {}, testHost(memory));
  }
  return { kind, memory };
}

const scenarios = await fewScenarios();
const scenarioOf = (name: string) => {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (!found) throw new Error(`${name} is gone`);
  return found;
};

describe("in place, through the source, between any two of our calls until the commit", () => {
  const cases: [string, number][] = [
    ["qed to qcow2", 5 * 4096],
    ["qed to qcow2, larger clusters, units moved", 5 * 4096],
    ["qcow2 to qed, free clusters to fill", 2 * 4096],
    ["qcow2 to qcow2, smaller clusters, ends inside its last cluster", 4096],
  ];
  for (const [name, guestOffset] of cases) {
    const { image, targetFormat, options } = scenarioOf(name);
    const run = (volume: InterferingVolume, more: ConvertOptions = {}) =>
      convert(IMAGE_PATH, targetFormat, { ...options, ...more }, testHost(volume));
    const callsUntilCommit = async () => {
      const volume = new InterferingVolume(new MemoryVolume({ [IMAGE_PATH]: image }));
      await run(volume);
      return volume.calls.indexOf("write 0");
    };

    test(`${name}: noticed at once, and nothing is lost`, async () => {
      const hostOffset = await placeOf(image, guestOffset);
      const last = await callsUntilCommit();
      expect(last).toBeGreaterThan(1);
      for (let nth = 1; nth <= last; nth++) {
        const { kind, memory } = await disturbed({ [IMAGE_PATH]: image }, run, nth, hostOffset);
        expect(kind, `after call ${nth}`).toBe("changed-underneath");
        const guest = await guestOf(memory.snapshot(IMAGE_PATH));
        expect(
          Buffer.from(guest.subarray(guestOffset, guestOffset + MARK.length)).equals(MARK),
          `after call ${nth}`,
        ).toBe(true);
      }
    });

    test(`${name}: a clock too coarse to show it loses nothing either`, async () => {
      const hostOffset = await placeOf(image, guestOffset);
      const last = await callsUntilCommit();
      for (let nth = 1; nth <= last; nth++) {
        const { memory } = await disturbed({ [IMAGE_PATH]: image }, run, nth, hostOffset, true);
        const guest = await guestOf(memory.snapshot(IMAGE_PATH));
        expect(
          Buffer.from(guest.subarray(guestOffset, guestOffset + MARK.length)).equals(MARK),
          `after call ${nth}`,
        ).toBe(true);
      }
    });
  }
});

test("in place, far into a long copy, with a clock too coarse until the commit: nothing is lost", async () => {
  const { bytes } = buildQedImage({
    clusterSize: 4096,
    tableSize: 2,
    virtualSize: 1000 * 4096,
    data: Array.from({ length: 700 }, (_, at) => at),
  });
  const run = (volume: InterferingVolume) =>
    convert(IMAGE_PATH, "qcow2", { options: { cluster_size: "64k" } }, testHost(volume));
  const counting = new InterferingVolume(new MemoryVolume({ [IMAGE_PATH]: bytes }));
  await run(counting);
  const last = counting.calls.indexOf("write 0");
  const guestOffset = 600 * 4096;
  const hostOffset = await placeOf(bytes, guestOffset);
  const { kind, memory } = await disturbed({ [IMAGE_PATH]: bytes }, run, last, hostOffset, true);
  expect(kind).toBe("changed-underneath");
  const guest = await guestOf(memory.snapshot(IMAGE_PATH));
  expect(Buffer.from(guest.subarray(guestOffset, guestOffset + MARK.length)).equals(MARK)).toBe(true);
});

describe("while a QED is settled", () => {
  const { image, targetFormat, options } = scenarioOf("qcow2 to qed, free clusters to fill");

  /** The calls of an undisturbed run, and the image as committed. */
  async function undisturbed() {
    let committed: Uint8Array | undefined;
    const memory = new MemoryVolume({ [IMAGE_PATH]: image });
    const volume = new InterferingVolume(memory);
    const host = testHost(volume);
    await convert(IMAGE_PATH, targetFormat, options, host);
    const commit = volume.calls.indexOf("write 0") + 1;
    const again = new MemoryVolume({ [IMAGE_PATH]: image });
    const watching = new InterferingVolume(again, {
      nth: commit + 1,
      perform: async (inner) => {
        committed = inner.snapshot(IMAGE_PATH);
      },
    });
    await convert(IMAGE_PATH, targetFormat, options, testHost(watching));
    return { calls: volume.calls, commit, committed: committed as Uint8Array, final: memory.snapshot(IMAGE_PATH) };
  }

  const run = (volume: InterferingVolume) => convert(IMAGE_PATH, targetFormat, options, testHost(volume));

  /** A guest cluster that settling moves. */
  async function movedCluster(committed: Uint8Array, final: Uint8Array): Promise<number> {
    const [before, after] = [committed, final].map(async (bytes) =>
      (await openImage(memoryStorage(bytes))).getMapping(),
    );
    for (let guestOffset = 0; guestOffset < 40 * 4096; guestOffset += 4096) {
      const places = [await before, await after].map((table) => {
        const row = extentAt(table as never, findRow(table as never, guestOffset));
        return row.hostOffset < 0 ? -1 : row.hostOffset + guestOffset - row.guestOffset;
      });
      if ((places[0] as number) > 0 && places[0] !== places[1]) return guestOffset;
    }
    throw new Error("nothing moves");
  }

  for (const isBlind of [false, true]) {
    test(`in place, to what was copied already${isBlind ? ", with a clock too coarse" : ""}`, async () => {
      const { calls, commit, committed, final } = await undisturbed();
      const guestOffset = await movedCluster(committed, final);
      const hostOffset = await placeOf(committed, guestOffset);
      // Fill, sync: after that the pointers are written, and a program that still has the old ones has lost its way.
      const copiedAt = calls.indexOf("sync", commit + 1) + 1;
      expect(copiedAt).toBeGreaterThan(commit + 2);
      for (let nth = commit + 2; nth <= copiedAt; nth++) {
        const { kind, memory } = await disturbed({ [IMAGE_PATH]: image }, run, nth, hostOffset, isBlind);
        expect(kind, `after call ${nth}`).toBe(isBlind ? kind : "changed-underneath");
        const guest = await guestOf(memory.snapshot(IMAGE_PATH));
        expect(
          Buffer.from(guest.subarray(guestOffset, guestOffset + MARK.length)).equals(MARK),
          `after call ${nth}`,
        ).toBe(true);
      }
    });
  }

  test("into a table that is live, with a clock too coarse: the new header does not leave it behind", async () => {
    const { calls, commit, committed } = await undisturbed();
    const opened = await openImage(memoryStorage(committed));
    const l2 = [...(await opened.getMetadataRanges()).each()].find(({ start }) => start > 0);
    const hole = 1;
    const switchAt = calls.indexOf("write 0", commit);
    for (let nth = commit + 2; nth <= switchAt; nth++) {
      const memory = new MemoryVolume({ [IMAGE_PATH]: image });
      // Guest cluster 1, a hole until then, becomes zeros by an entry of 1 in the table that maps it.
      const volume = new InterferingVolume(
        memory,
        {
          nth,
          perform: (inner) =>
            scribble(inner, IMAGE_PATH, (l2?.start as number) + hole * 8, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)),
        },
        true,
      );
      const error = await run(volume).then(
        () => undefined,
        (thrown: ImageError) => thrown,
      );
      expect(error?.kind, `after call ${nth}`).toMatch(/changed-underneath|verification-failed/);
      expect(error?.journal).toBeDefined();
    }
  });
});

describe("while an image is repaired", () => {
  const damaged = (): Uint8Array => {
    const { bytes, at } = buildQcow2Image({ clusterBits: 12, incompatible: 1n });
    bytes.writeUInt16BE(7, at.refcountBlock + (at.l2 / at.clusterSize) * 2);
    bytes.writeBigUInt64BE(bytes.readBigUInt64BE(at.l2) & ~(1n << 63n), at.l2);
    return new Uint8Array(bytes);
  };
  const { at } = buildQcow2Image({ clusterBits: 12 });
  const run = (volume: InterferingVolume) => check(IMAGE_PATH, { repair: "all" }, testHost(volume));

  for (const [where, hostOffset] of [
    ["guest data", at.data + 40],
    ["a table", at.l2 + 512],
  ] as const) {
    test(`into ${where}: noticed, and it stays`, async () => {
      const counting = new InterferingVolume(new MemoryVolume({ [IMAGE_PATH]: damaged() }));
      await run(counting);
      expect(counting.calls.length).toBeGreaterThan(2);
      for (let nth = 1; nth < counting.calls.length; nth++) {
        const memory = new MemoryVolume({ [IMAGE_PATH]: damaged() });
        const volume = new InterferingVolume(memory, {
          nth,
          perform: (inner) => scribble(inner, IMAGE_PATH, hostOffset, Uint8Array.of(0x5a)),
        });
        const error = await run(volume).then(
          () => undefined,
          (thrown: ImageError) => thrown,
        );
        expect(error?.kind, `after call ${nth}`).toBe("changed-underneath");
        expect(memory.snapshot(IMAGE_PATH)[hostOffset]).toBe(0x5a);
      }
    });
  }

  test("into a table while the journal is made, with a clock too coarse: no step is done over it", async () => {
    const memory = new MemoryVolume({ [IMAGE_PATH]: damaged() });
    const hostOffset = at.l2 + 512;
    const written = damaged();
    written[hostOffset] = 0x5a;
    const onJournal = () => scribble(memory, IMAGE_PATH, hostOffset, Uint8Array.of(0x5a));
    const volume = new InterferingVolume(memory, undefined, true);
    const repair = check(IMAGE_PATH, { repair: "all", onJournal }, testHost(volume));
    await expect(repair).rejects.toMatchObject({ kind: "changed-underneath" });
    expect(Buffer.compare(memory.snapshot(IMAGE_PATH), written)).toBe(0);
  });

  test("into a sector that a later step overwrites, with a clock too coarse: it is not overwritten", async () => {
    const counting = new InterferingVolume(new MemoryVolume({ [IMAGE_PATH]: damaged() }));
    await run(counting);
    const target = counting.calls.lastIndexOf("write 0");
    expect(target).toBeGreaterThan(1);
    const memory = new MemoryVolume({ [IMAGE_PATH]: damaged() });
    const volume = new InterferingVolume(
      memory,
      { nth: target, perform: (inner) => scribble(inner, IMAGE_PATH, 500, Uint8Array.of(0x5a)) },
      true,
    );
    await expect(run(volume)).rejects.toMatchObject({ kind: "changed-underneath" });
    expect(memory.snapshot(IMAGE_PATH)[500]).toBe(0x5a);
  });
});
