/** A guest writes in place, where no metadata tells of it: what it wrote stays, and nothing that must not follow it does. */

import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { check } from "../../../src/convert/check.ts";
import { convert } from "../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../src/convert/options/options.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { extentAt, findRow } from "../../../src/image/extent.ts";
import { GuestReader } from "../../../src/image/guest/reader.ts";
import { openGuestView } from "../../../src/image/guest/view.ts";
import { checkOf } from "../../../src/image/source.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { encodeRecord, scanRecords } from "../../../src/journal/record.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import type { OtherUsers } from "../../../src/storage/storage.ts";
import { buildQcow2Image, type Qcow2ImageDescription } from "../../formats/qcow2/builder.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { cutAtCommit } from "../../support/cut-at-commit.ts";
import { failureOf } from "../../support/failure-of.ts";

const CLUSTER = 4096;

async function guestOf(bytes: Uint8Array): Promise<Uint8Array> {
  const image = await openImage(memoryStorage(bytes));
  const guest = new Uint8Array(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return guest;
}

/** What a guest does that overwrites bytes of a cluster which its image holds already; the file grows where it must. */
async function writeInPlace(bytes: Uint8Array, guestOffset: number, value: number, length = 1): Promise<Uint8Array> {
  const extents = await (await openImage(memoryStorage(bytes))).getMapping();
  const row = extentAt(extents, findRow(extents, guestOffset));
  const hostOffset = row.hostOffset + guestOffset - row.guestOffset;
  const written = new Uint8Array(Math.max(bytes.length, hostOffset + length));
  written.set(bytes);
  written.fill(value, hostOffset, hostOffset + length);
  return written;
}

async function converted(
  image: Uint8Array,
  format: string,
  options: ConvertOptions,
): Promise<Record<string, Uint8Array>> {
  const volume = new MemoryVolume({ [IMAGE_PATH]: image });
  await convert(IMAGE_PATH, format, options, testHost(volume));
  return volume.snapshots();
}

/** Somebody has the image open from the second look on. */
class LatecomersVolume extends MemoryVolume {
  #looks = 0;

  override async otherUsers(): Promise<OtherUsers> {
    return { found: this.#looks++ === 0 ? [] : ["QEMU has it open"], blind: [] };
  }
}

const UNDO = journalNamesOf(IMAGE_PATH).undo;

function intentIn(files: Record<string, Uint8Array>): Record<string, unknown> {
  return scanRecords(files[UNDO] as Uint8Array, UNDO).records[0]?.facts as Record<string, unknown>;
}

/** The same files, the undo saying something else first. */
function withIntent(files: Record<string, Uint8Array>, intent: object): Record<string, Uint8Array> {
  const { journalId, records } = scanRecords(files[UNDO] as Uint8Array, UNDO);
  const [first, ...others] = records.map(({ facts, blob }) => [facts, blob] as const);
  const framed = [[intent, first?.[1] as Uint8Array] as const, ...others].map(([facts, blob], sequence) =>
    encodeRecord(journalId as Uint8Array, sequence, facts, blob),
  );
  return { ...files, [UNDO]: new Uint8Array(Buffer.concat(framed)) };
}

const built = (description: Qcow2ImageDescription, missing = 0): Uint8Array => {
  const { bytes } = buildQcow2Image({ clusterBits: 12, ...description });
  return new Uint8Array(bytes.subarray(0, bytes.length - missing));
};

const QED_WITH_AUTOCLEAR = buildQedImage({ virtualSize: 8 * CLUSTER, data: [0, 3], autoclearFeatures: 1n << 5n }).bytes;

describe("a source that holds more than its active guest", () => {
  const KINDS = [
    ["a snapshot", built({ snapshot: true }), ["snapshots"], /1 snapshot/],
    ["a bitmap", built({ bitmap: true }), ["bitmaps"], /bitmap old/],
    ["an autoclear bit of qcow2", built({ autoclear: 1n << 63n }), [], /unknown autoclear feature bit 63/],
    ["an autoclear bit of QED", QED_WITH_AUTOCLEAR, [], /unknown autoclear feature bit 5/, "qcow2"],
  ] as const;
  for (const [name, image, drop, words, target = "qed"] of KINDS) {
    const states = [
      ["undo kept", () => converted(image, target, { drop, keepUndo: true })],
      ["committed", () => cutAtCommit(image, target, { drop }, "committed")],
    ] as const;
    for (const [state, made] of states) {
      test(`${name}, ${state}: not put back once a guest wrote`, async () => {
        const files = await made();
        const booted = await writeInPlace(files[IMAGE_PATH] as Uint8Array, 100, 0x99);
        const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: booted });
        const error = await failureOf(rollback(IMAGE_PATH, {}, testHost(volume)));
        expect(error.kind).toBe("changed-underneath");
        expect(error.message).toMatch(words);
        expect(error.message).toMatch(/a guest wrote to its disk since; nothing was touched/);
        expect(error.journal).toBeDefined();
        expect(Buffer.compare(volume.snapshot(IMAGE_PATH), booted)).toBe(0);
        await resume(IMAGE_PATH, {}, testHost(volume));
        expect((await guestOf(volume.snapshot(IMAGE_PATH)))[100]).toBe(0x99);
      });

      test(`${name}, ${state}: put back byte for byte, and said so, while the guest is the same`, async () => {
        const volume = new MemoryVolume(await made());
        const { message } = await rollback(IMAGE_PATH, {}, testHost(volume));
        expect(message).toMatch(/put back byte for byte/);
        expect(Buffer.compare(volume.snapshot(IMAGE_PATH), image)).toBe(0);
      });
    }

    test(`${name}: without a checksum from before nobody can tell, and it is not put back`, async () => {
      const files = await converted(image, target, { drop, keepUndo: true, checksum: "none" });
      const error = await failureOf(rollback(IMAGE_PATH, {}, testHost(new MemoryVolume(files))));
      expect(error.message).toMatch(/can't be told without a checksum/);
    });
  }

  const [, withSnapshot, drop] = KINDS[0];

  test("a guest that wrote through the source's own header is no obstacle", async () => {
    const files = await cutAtCommit(withSnapshot, "qed", { drop }, "prepared");
    const booted = await writeInPlace(files[IMAGE_PATH] as Uint8Array, 100, 0x99);
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: booted });
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), booted.subarray(0, withSnapshot.length))).toBe(0);
  });

  test("who comes while the guest is compared is seen before anything is written", async () => {
    const files = await converted(withSnapshot, "qed", { drop, keepUndo: true });
    const volume = new LatecomersVolume(files);
    const error = await failureOf(rollback(IMAGE_PATH, {}, testHost(volume)));
    expect(error.message).toMatch(/QEMU has it open/);
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), files[IMAGE_PATH] as Uint8Array)).toBe(0);
  });

  test("a journal of an older version that does not say what the source holds: what was dropped counts", async () => {
    const files = await converted(withSnapshot, "qed", { drop, keepUndo: true });
    const { alsoHolds, ...older } = intentIn(files);
    expect(alsoHolds).toEqual(["1 snapshot"]);
    const booted = await writeInPlace(files[IMAGE_PATH] as Uint8Array, 100, 0x99);
    const volume = new MemoryVolume({ ...withIntent(files, older), [IMAGE_PATH]: booted });
    const error = await failureOf(rollback(IMAGE_PATH, {}, testHost(volume)));
    expect(error.message).toMatch(/it holds 1 snapshot, and a guest wrote to its disk since; nothing was touched/);
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), booted)).toBe(0);
  });

  test("nothing else held: a guest's writes in place stay, and byte for byte is not said", async () => {
    const files = await converted(built({}), "qed", { keepUndo: true });
    const booted = await writeInPlace(files[IMAGE_PATH] as Uint8Array, 100, 0x99);
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: booted });
    const { message, format } = await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(format).toBe("qcow2");
    expect(message).toMatch(/put back, its metadata byte for byte/);
    expect((await guestOf(volume.snapshot(IMAGE_PATH)))[100]).toBe(0x99);
  });
});

describe("a file that ends inside its last cluster", () => {
  const short = built({}, 3000);
  const last = 2 * CLUSTER - 10;

  test("is its guest with zeros at the end, in every target", async () => {
    const guest = await guestOf(short);
    expect(guest.subarray(2 * CLUSTER - 3000, 2 * CLUSTER).every((byte) => byte === 0)).toBe(true);
    const targets: [string, Record<string, string>][] = [
      ["qed", {}],
      ["qed", { cluster_size: "64k" }],
      ...["512", "1k", "2k", "8k", "2M"].map((size): [string, Record<string, string>] => [
        "qcow2",
        { cluster_size: size },
      ]),
      ["qcow2", { refcount_bits: "1" }],
    ];
    for (const [format, options] of targets) {
      const files = await converted(short, format, { options });
      expect(
        Buffer.compare(await guestOf(files[IMAGE_PATH] as Uint8Array), guest),
        `${format} ${JSON.stringify(options)}`,
      ).toBe(0);
      const image = await openImage(memoryStorage(files[IMAGE_PATH] as Uint8Array));
      expect((await checkOf(image)).findings).toEqual([]);
    }
  });

  test("a compressed one likewise", async () => {
    const stream = deflateRawSync(Buffer.alloc(CLUSTER, "the end of it "));
    const image = built({ compressed: stream }, CLUSTER - stream.length);
    for (const [format, options] of [
      ["qcow2", { cluster_size: "512" }],
      ["qcow2", { refcount_bits: "8" }],
      ["qed", {}],
    ] as const) {
      const files = await converted(image, format, { options });
      expect(Buffer.compare(await guestOf(files[IMAGE_PATH] as Uint8Array), await guestOf(image))).toBe(0);
    }
  });

  test("a guest wrote to its end through the target: the way back keeps that", async () => {
    for (const made of [converted(short, "qed", { keepUndo: true }), cutAtCommit(short, "qed", {}, "committed")]) {
      const files = await made;
      const booted = await writeInPlace(files[IMAGE_PATH] as Uint8Array, last, 0x77, 10);
      const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: booted });
      const { message } = await rollback(IMAGE_PATH, {}, testHost(volume));
      expect(message).toMatch(/with what was written past its old end/);
      const end = volume.snapshot(IMAGE_PATH);
      expect(end.length).toBeGreaterThan(short.length);
      expect(Buffer.compare(await guestOf(end), await guestOf(booted))).toBe(0);
    }
  });

  test("a guest wrote to its end through the target before that was verified: the way on keeps that", async () => {
    const files = await cutAtCommit(short, "qed", {}, "committed");
    const booted = await writeInPlace(files[IMAGE_PATH] as Uint8Array, last, 0x77, 10);
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: booted });
    const { format } = await resume(IMAGE_PATH, {}, testHost(volume));
    expect(format).toBe("qed");
    expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), await guestOf(booted))).toBe(0);
  });

  test("a guest wrote to its end through the source: the way on and the way back keep that", async () => {
    const files = await cutAtCommit(short, "qed", {}, "prepared");
    const booted = await writeInPlace(files[IMAGE_PATH] as Uint8Array, last, 0x77, 10);
    for (const wish of [resume, rollback]) {
      const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: booted });
      await wish(IMAGE_PATH, {}, testHost(volume));
      expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), await guestOf(booted))).toBe(0);
    }
  });

  test("nobody wrote: its old length comes back", async () => {
    const volume = new MemoryVolume(await converted(short, "qed", { keepUndo: true }));
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), short)).toBe(0);
  });

  test("one that begins past the end is refused, also without a check", async () => {
    const image = built({}, CLUSTER);
    for (const checked of [true, false]) {
      const error = await failureOf(converted(image, "qed", { check: checked }));
      expect(error.kind).toBe("corrupt");
    }
  });
});

describe("the way on where somebody gave the source another header before the commit", () => {
  test("whose table lies past the old end: nothing that it points at is cut off", async () => {
    const { bytes, l1Offset } = buildQedImage({ virtualSize: 8 * CLUSTER, data: [0, 3] });
    const files = await cutAtCommit(bytes, "qcow2", {}, "prepared");
    const image = files[IMAGE_PATH] as Uint8Array;
    const moved = Buffer.concat([image, bytes.subarray(l1Offset, l1Offset + 2 * CLUSTER)]);
    moved.writeBigUInt64LE(BigInt(image.length), 40);
    const guest = await guestOf(moved);
    expect(Buffer.compare(guest, await guestOf(bytes))).toBe(0);
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: moved });
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), guest)).toBe(0);
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  });

  test("which names another backing file, where the target's had been put: the name stays", async () => {
    const backingName = `${"folder/".repeat(62)}base.img`;
    const { bytes } = buildQedImage({ virtualSize: 8 * CLUSTER, data: [0, 3], backingName });
    const files = await cutAtCommit(bytes, "qcow2", {}, "prepared");
    const image = Uint8Array.from(files[IMAGE_PATH] as Uint8Array);
    const renamed = Buffer.from(`${"another/".repeat(90)}base.img`);
    const view = new DataView(image.buffer);
    image.set(renamed, 64);
    view.setUint32(56, 64, true);
    view.setUint32(60, renamed.length, true);
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: image });
    await resume(IMAGE_PATH, {}, testHost(volume));
    const converted = await openImage(memoryStorage(volume.snapshot(IMAGE_PATH)));
    expect(converted.format).toBe("qcow2");
    expect(converted.getConversionOptions().backing?.name).toBe(renamed.toString());
  });
});

describe("the way back over a repair that cleared an autoclear bit nobody knows", () => {
  const leaky = (): Uint8Array => {
    const { bytes, at } = buildQcow2Image({ clusterBits: 12, autoclear: 1n << 63n });
    const image = Buffer.concat([bytes, Buffer.alloc(at.clusterSize)]);
    image.writeUInt16BE(1, at.refcountBlock + 2 * (at.end / at.clusterSize));
    return image;
  };
  const marked = (): Uint8Array =>
    buildQedImage({ virtualSize: 8 * CLUSTER, data: [0, 3], features: 2n, autoclearFeatures: 1n << 5n }).bytes;

  test.each([
    ["qcow2", leaky],
    ["QED", marked],
  ])("%s: stays where a guest wrote, and is put back where none did", async (_, damaged) => {
    const repaired = new MemoryVolume({ [IMAGE_PATH]: damaged() });
    await check(IMAGE_PATH, { repair: "all", keepUndo: true }, testHost(repaired));
    const untouched = new MemoryVolume(repaired.snapshots());
    const booted = await writeInPlace(repaired.snapshot(IMAGE_PATH), 100, 0x99);
    const volume = new MemoryVolume({ ...repaired.snapshots(), [IMAGE_PATH]: booted });
    const error = await failureOf(rollback(IMAGE_PATH, {}, testHost(volume)));
    expect(error.kind).toBe("changed-underneath");
    expect(error.message).toMatch(/autoclear.*a guest wrote to its disk since; nothing was touched/);
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), booted)).toBe(0);
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(booted) });
    await rollback(IMAGE_PATH, {}, testHost(untouched));
    expect(Buffer.compare(untouched.snapshot(IMAGE_PATH), damaged())).toBe(0);
  });
});

describe("the way back over a repair", () => {
  /** The last data cluster lies past the end of the file; its refcounts have to be made anew. */
  const damaged = (): Uint8Array => {
    const { bytes, at } = buildQcow2Image({ clusterBits: 12 });
    bytes.writeBigUInt64BE(0n, at.refcountTable);
    return new Uint8Array(bytes.subarray(0, bytes.length - CLUSTER / 2));
  };

  test("a cluster past the old end came to life, and a guest wrote to it: that stays", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: damaged() });
    await check(IMAGE_PATH, { repair: "all", keepUndo: true }, testHost(volume));
    const booted = await writeInPlace(volume.snapshot(IMAGE_PATH), 2 * CLUSTER - 10, 0x55, 10);
    const again = new MemoryVolume({ ...volume.snapshots(), [IMAGE_PATH]: booted });
    const { message } = await rollback(IMAGE_PATH, {}, testHost(again));
    expect(message).toMatch(/with what was written past its old end/);
    expect(Buffer.compare(await guestOf(again.snapshot(IMAGE_PATH)), await guestOf(booted))).toBe(0);
  });

  test("nobody wrote: its old length comes back", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: damaged() });
    await check(IMAGE_PATH, { repair: "all", keepUndo: true }, testHost(volume));
    expect(volume.snapshot(IMAGE_PATH).length).toBeGreaterThan(damaged().length);
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), damaged())).toBe(0);
  });
});

describe("the way back over a repair that gave data up, of an image with snapshots or bitmaps", () => {
  const COPIED = 1n << 63n;
  const KINDS = [
    // The snapshot's first table lies nowhere that it could: it shows nothing any more, the active guest all that it did.
    ["a snapshot's table", { snapshot: true }, "snapshot"],
    ["a cluster of the guest, beside a snapshot", { snapshot: true }, "active"],
    ["a cluster of the guest, beside a bitmap", { bitmap: true }, "active"],
  ] as const;
  const options = { repair: "all", allowDataLoss: true, keepUndo: true } as const;
  const damaged = (kind: Qcow2ImageDescription, where: "snapshot" | "active"): Uint8Array => {
    const { bytes, at } = buildQcow2Image({ clusterBits: 12, ...kind });
    if (where === "snapshot") bytes.writeBigUInt64BE(BigInt(at.l2 + 512), at.snapshots + CLUSTER);
    else bytes.writeBigUInt64BE(COPIED | BigInt(at.data + CLUSTER + 512), at.l2 + 8);
    return new Uint8Array(bytes);
  };

  for (const [name, kind, where] of KINDS) {
    test(`${name}: put back byte for byte while the guest is the same`, async () => {
      const image = damaged(kind, where);
      const volume = new MemoryVolume({ [IMAGE_PATH]: image });
      expect((await check(IMAGE_PATH, options, testHost(volume))).changed).toBe(true);
      await rollback(IMAGE_PATH, {}, testHost(volume));
      expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: image });
    });

    test(`${name}: not put back once a guest wrote`, async () => {
      const repaired = new MemoryVolume({ [IMAGE_PATH]: damaged(kind, where) });
      await check(IMAGE_PATH, options, testHost(repaired));
      const booted = await writeInPlace(repaired.snapshot(IMAGE_PATH), 100, 0x99);
      const volume = new MemoryVolume({ ...repaired.snapshots(), [IMAGE_PATH]: booted });
      const error = await failureOf(rollback(IMAGE_PATH, {}, testHost(volume)));
      expect(error.kind).toBe("changed-underneath");
      expect(error.message).toMatch(
        /gave snapshots, bitmaps or autoclear bits up, and a guest wrote to its disk since; nothing was touched/,
      );
      expect(Buffer.compare(volume.snapshot(IMAGE_PATH), booted)).toBe(0);
    });
  }

  const repaired = async (where: "snapshot" | "active") => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: damaged({ snapshot: true }, where) });
    await check(IMAGE_PATH, options, testHost(volume));
    return volume.snapshots();
  };

  test("where no guest is known from before nobody can tell, and it is not put back", async () => {
    const files = await repaired("snapshot");
    const volume = new MemoryVolume(withIntent(files, { ...intentIn(files), guestDigests: [] }));
    const error = await failureOf(rollback(IMAGE_PATH, {}, testHost(volume)));
    expect(error.kind).toBe("changed-underneath");
    expect(error.message).toMatch(/what its guest was before is not known; nothing was touched/);
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), files[IMAGE_PATH] as Uint8Array)).toBe(0);
  });

  test("who comes while the guest is compared is seen before anything is written", async () => {
    const files = await repaired("snapshot");
    const volume = new LatecomersVolume(files);
    const error = await failureOf(rollback(IMAGE_PATH, {}, testHost(volume)));
    expect(error.message).toMatch(/QEMU has it open/);
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), files[IMAGE_PATH] as Uint8Array)).toBe(0);
  });

  test("stopped before its first step it is put back, whatever can't be read of it", async () => {
    const image = damaged({ snapshot: true }, "active");
    const volume = new MemoryVolume({ [IMAGE_PATH]: image });
    const stop = new AbortController();
    const stopped = check(
      IMAGE_PATH,
      { ...options, signal: stop.signal, onJournal: () => stop.abort() },
      testHost(volume),
    );
    expect((await failureOf(stopped)).kind).toBe("interrupted");
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: image });
  });
});
