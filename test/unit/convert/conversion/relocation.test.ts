/** A disk that grows and a GPT's backup that moves with it, through the library: what is told, what is written, what leads back. */

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { convert, plan } from "../../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../../src/convert/options/options.ts";
import { resume, rollback } from "../../../../src/convert/recover.ts";
import type { ConversionReport } from "../../../../src/convert/report/report.ts";
import { Journal } from "../../../../src/journal/journal.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { gptDisk, grown, mbrRecord, signHeader, wholeGpt } from "../../../support/gpt-disk.ts";
import { type DiskState, eachCut } from "../../../support/power-cut.ts";
import { seededRandom } from "../../../support/random.ts";
import { RecordingVolume } from "../../../support/recording-volume.ts";
import { WrappedStorage, WrappedVolume } from "../../../support/wrapped-volume.ts";

const PARTITIONS = [[40, 79], undefined, [80, 100]] as const;
const disk = gptDisk({ partitions: PARTITIONS });
const FIXED = { subformat: "fixed" };
const NEW_SIZE = 192 * 1024;
const TO_RAW = { align: "192k", gpt: "relocate" };

function volumeOf(bytes: Uint8Array): MemoryVolume {
  return new MemoryVolume({ [IMAGE_PATH]: new Uint8Array(bytes) });
}

function bytesOf(volume: MemoryVolume): Buffer {
  return Buffer.from(volume.snapshot(IMAGE_PATH));
}

function converted(
  volume: MemoryVolume,
  to: string,
  options: Readonly<Record<string, string>>,
  more: ConvertOptions = {},
): Promise<ConversionReport> {
  return convert(IMAGE_PATH, to, { format: "raw", ...more, options }, testHost(volume));
}

/** By the definition, not by us: SHA-256 over those of 64 KiB blocks, then the length. */
function blkhash(bytes: Buffer): string {
  const outer = createHash("sha256");
  for (let at = 0; at < bytes.length; at += 65_536)
    outer.update(
      createHash("sha256")
        .update(bytes.subarray(at, at + 65_536))
        .digest(),
    );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return outer.update(length).digest("hex");
}

/** The disk as it has to be, from the reader's own idea of a GPT: all but four runs of sectors as it was, grown. */
function expectRelocated(found: Buffer, size = NEW_SIZE): void {
  expect(found.length).toBe(size);
  expect(wholeGpt(found).entries.equals(wholeGpt(disk).entries)).toBe(true);
  expect(found.subarray(1024, disk.length).equals(disk.subarray(1024))).toBe(true);
  expect(found.subarray(disk.length, size - 33 * 512).every((byte) => byte === 0)).toBe(true);
}

const CHANGES = [
  { guestOffset: NEW_SIZE - 33 * 512, length: 32 * 512, what: "backup partition entries of the GPT" },
  { guestOffset: NEW_SIZE - 512, length: 512, what: "backup header of the GPT" },
  { guestOffset: 512, length: 512, what: "primary header of the GPT" },
  { guestOffset: 0, length: 512, what: "protective MBR" },
];

test("raw grows and its GPT moves; plan and report list each range, and the digest after is the new disk's", async () => {
  const volume = volumeOf(disk);
  const { report: planned, text } = await plan(IMAGE_PATH, "raw", { format: "raw", options: TO_RAW }, testHost(volume));
  expect(bytesOf(volume).equals(disk)).toBe(true);
  const report = await converted(volume, "raw", TO_RAW);
  expectRelocated(bytesOf(volume));
  for (const told of [planned, report]) {
    expect(told.guestChanges).toEqual(CHANGES);
    expect(told.path).toEqual([{ step: "rearrange", goal: "relocate" }]);
    expect([told.virtualSize, told.fileSizeAfter]).toEqual([NEW_SIZE, NEW_SIZE]);
  }
  expect(text).toContain("primary header of the GPT: 512 bytes at 0x200");
  expect(report.guestChecksum).toMatchObject({ before: blkhash(disk), after: blkhash(bytesOf(volume)) });
  expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
});

test("what is as asked is not touched", async () => {
  const volume = volumeOf(disk);
  await converted(volume, "raw", TO_RAW);
  const before = bytesOf(volume);
  const again = await converted(volume, "raw", TO_RAW);
  expect(again).toMatchObject({ changed: false, path: [] });
  expect(again.guestChanges).toBeUndefined();
  expect(bytesOf(volume).equals(before)).toBe(true);
});

test("a disk that has grown before moves its GPT without growing", async () => {
  const volume = volumeOf(grown(disk, NEW_SIZE));
  await converted(volume, "raw", { gpt: "relocate" }, { keepUndo: true });
  expectRelocated(bytesOf(volume));
  await rollback(IMAGE_PATH, {}, testHost(volume));
  expect(bytesOf(volume).equals(grown(disk, NEW_SIZE))).toBe(true);
});

test("an odd raw disk grows to its multiple and comes back odd", async () => {
  const odd = Buffer.alloc(1000, 7);
  const volume = volumeOf(odd);
  await converted(volume, "raw", { align: "4k" }, { keepUndo: true });
  expect(bytesOf(volume).equals(grown(odd, 4096))).toBe(true);
  await rollback(IMAGE_PATH, {}, testHost(volume));
  expect(bytesOf(volume).equals(odd)).toBe(true);
});

test("align alone moves no GPT, and says so", async () => {
  const volume = volumeOf(disk);
  const report = await converted(volume, "raw", { align: "192k" });
  expect(bytesOf(volume).equals(grown(disk, NEW_SIZE))).toBe(true);
  expect(report.notes).toEqual([expect.stringContaining("The GPT's backup header is not at the end of the disk")]);
  expect(report.guestChecksum?.after).toBe(blkhash(grown(disk, NEW_SIZE)));
  // Who says keep knows.
  const kept = await converted(volumeOf(disk), "raw", { align: "192k", gpt: "keep" });
  expect(kept.notes).toEqual([]);
});

test("a fixed VHD warns of a stranded GPT where it grows, and not where the GPT moves or is to be kept", async () => {
  const notes = async (options: Record<string, string>) => {
    const given = { format: "raw", options: { ...FIXED, ...options } };
    const { report } = await plan(IMAGE_PATH, "vpc", given, testHost(volumeOf(disk)));
    const done = await converted(volumeOf(disk), "vpc", { ...FIXED, ...options });
    expect(done.notes).toEqual(report.notes);
    return report.notes;
  };
  expect(await notes({})).toEqual([expect.stringContaining("gpt=relocate moves it there")]);
  expect(await notes({ force_size: "on" })).toEqual([]);
  expect(await notes({ gpt: "keep" })).toEqual([]);
  expect(await notes({ gpt: "relocate" })).toEqual([]);
});

test("a fixed VHD grows before its footer comes: the plan foretells it, and the way back ends at the old bytes", async () => {
  const volume = volumeOf(disk);
  const options = { ...FIXED, gpt: "relocate" };
  const { report: planned } = await plan(IMAGE_PATH, "vpc", { format: "raw", options }, testHost(volume));
  const report = await converted(volume, "vpc", options, { keepUndo: true });
  const found = bytesOf(volume);
  expectRelocated(found.subarray(0, -512), 1 << 20);
  expect(report.guestChecksum?.after).toBe(blkhash(found.subarray(0, -512)));
  for (const told of [planned, report]) {
    expect(told.path).toEqual([
      { step: "rearrange", goal: "relocate" },
      { step: "switch", to: "vpc" },
    ]);
    expect([told.virtualSize, told.fileSizeAfter]).toEqual([1 << 20, (1 << 20) + 512]);
    expect(told.guestChanges).toHaveLength(4);
  }
  // What a guest wrote to its partition in between stays.
  const used = found.subarray(0);
  used.fill(0x55, 50 * 512, 51 * 512);
  const later = new MemoryVolume({ ...volume.snapshots(), [IMAGE_PATH]: new Uint8Array(used) });
  await rollback(IMAGE_PATH, {}, testHost(later));
  const expected = Buffer.from(disk).fill(0x55, 50 * 512, 51 * 512);
  expect(bytesOf(later).equals(expected)).toBe(true);
});

test("a fixed VHD whose GPT moves comes back with its own footer", async () => {
  const volume = volumeOf(disk);
  await converted(volume, "vpc", { ...FIXED, force_size: "on" });
  const before = bytesOf(volume);
  const options = { ...FIXED, ...TO_RAW };
  await converted(volume, "vpc", options, { format: "vpc", keepUndo: true });
  expectRelocated(bytesOf(volume).subarray(0, -512));
  await rollback(IMAGE_PATH, {}, testHost(volume));
  expect(bytesOf(volume).equals(before)).toBe(true);
});

test.each([
  ["the primary header", 512 + 60],
  ["the MBR", 20],
  ["the backup", NEW_SIZE - 20],
  ["what the disk has grown by", disk.length + 512],
])("the way back refuses over %s, changed since, and touches nothing", async (_, at) => {
  for (const to of ["raw", "vpc"]) {
    const volume = volumeOf(disk);
    await converted(volume, to, to === "raw" ? TO_RAW : { ...FIXED, ...TO_RAW }, { keepUndo: true });
    const used = bytesOf(volume);
    used[at] = (used[at] as number) ^ 0xff;
    const later = new MemoryVolume({ ...volume.snapshots(), [IMAGE_PATH]: new Uint8Array(used) });
    const error = await rollback(IMAGE_PATH, {}, testHost(later)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ImageError);
    expect((error as ImageError).kind).toBe("changed-underneath");
    expect((error as ImageError).message).toContain("nothing was touched");
    expect(bytesOf(later).equals(used)).toBe(true);
    // Who goes on keeps what was written.
    const { notes } = await resume(IMAGE_PATH, {}, testHost(later));
    expect(notes).toEqual(at === 572 ? [expect.stringContaining("GPT is left as it was found")] : []);
    expect(bytesOf(later).equals(used)).toBe(true);
    expect(Object.keys(later.snapshots())).toEqual([IMAGE_PATH]);
  }
});

test("a damaged GPT, and one without room, are refused before anything is written, whatever the source", async () => {
  const damaged = Buffer.from(disk);
  damaged[512 + 60] = 0xff;
  const full = gptDisk({ partitions: [[40, 240]] });
  const qcow2 = volumeOf(damaged);
  await converted(qcow2, "qcow2", { cluster_size: "4k" });
  const cases = [
    [damaged, "raw", "raw", TO_RAW, "its CRC-32 is wrong"],
    [bytesOf(qcow2), "qcow2", "vpc", { ...FIXED, gpt: "relocate" }, "its CRC-32 is wrong"],
    [mis(full), "raw", "raw", { gpt: "relocate" }, "partition 1 reaches to sector 240"],
  ] as const;
  for (const [bytes, format, to, options, because] of cases) {
    const volume = volumeOf(bytes);
    const error = await converted(volume, to, options, { format }).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toContain(because);
    expect((error as Error).message).toContain(IMAGE_PATH);
    const { report } = await plan(IMAGE_PATH, to, { format, options }, testHost(volume));
    expect(report.refused).toEqual([expect.stringContaining(because)]);
    expect(bytesOf(volume).equals(bytes)).toBe(true);
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  }
});

/** Its backup lies elsewhere, so that it has to move. */
function mis(bytes: Buffer): Buffer {
  bytes.writeBigUInt64LE(BigInt(bytes.length / 512 - 2), 512 + 32);
  bytes.writeBigUInt64LE(240n, 512 + 48);
  signHeader(bytes, 512);
  return bytes;
}

test("a disk without a GPT is told of, and only grows", async () => {
  const plain = Buffer.alloc(disk.length, 3);
  mbrRecord(plain, 0, 0x83, 1, 100);
  plain.writeUInt16LE(0xaa55, 510);
  const volume = volumeOf(plain);
  const report = await converted(volume, "raw", TO_RAW);
  expect(report.notes).toEqual(["The disk has no GPT: there is nothing to relocate"]);
  expect(bytesOf(volume).equals(grown(plain, NEW_SIZE))).toBe(true);
  expect(report.guestChanges).toBeUndefined();
});

test("sizes that no disk can have are refused", async () => {
  await expect(converted(volumeOf(disk), "raw", { align: "1000" })).rejects.toThrow(
    "Cannot use align=1000: a raw disk has whole sectors",
  );
  await expect(converted(volumeOf(disk), "qcow2", { gpt: "relocate" })).rejects.toThrow("Cannot use option gpt");
});

/** The files as the first run leaves them that is stopped before its n-th write to the image. */
async function stoppedBefore(write: number, bytes = disk, options = TO_RAW): Promise<MemoryVolume> {
  const volume = new RecordingVolume({ [IMAGE_PATH]: new Uint8Array(bytes) });
  await convert(IMAGE_PATH, "raw", { format: "raw", options }, testHost(volume));
  return cutBefore(volume, write);
}

function cutBefore(volume: RecordingVolume, write: number): MemoryVolume {
  let count = 0;
  let before: DiskState | undefined;
  for (const { count: at, cut } of eachCut(volume.log)) {
    const last = volume.operations[at - 1];
    if (last?.kind === "write" && last.path === IMAGE_PATH && ++count === write) return new MemoryVolume(before);
    before = cut.sample("all-new", seededRandom(1));
  }
  throw new Error("there were fewer writes");
}

test.each([
  ["the primary header", 2, 512],
  ["the MBR", 3, 0],
])("%s, half written, is mended, and both ways lead on", async (_, write, at) => {
  const done = volumeOf(disk);
  await converted(done, "raw", TO_RAW);
  for (const command of [resume, rollback]) {
    const volume = await stoppedBefore(write);
    const half = bytesOf(volume);
    // As far as the sector's middle, which lies between what changes of it.
    half.set(bytesOf(done).subarray(at, at + (at === 0 ? 459 : 40)), at);
    expect(half.subarray(at, at + 512).equals(bytesOf(done).subarray(at, at + 512))).toBe(false);
    const torn = new MemoryVolume({ ...volume.snapshots(), [IMAGE_PATH]: new Uint8Array(half) });
    await command(IMAGE_PATH, {}, testHost(torn));
    expect(bytesOf(torn).equals(command === resume ? bytesOf(done) : disk)).toBe(true);
    expect(Object.keys(torn.snapshots())).toEqual([IMAGE_PATH]);
  }
});

/** The medium has lost `length` bytes at `start`, until they are written. */
function losing(volume: MemoryVolume, start: number, length: number): WrappedVolume {
  const lost = new Set(Array.from({ length: length / 512 }, (_, at) => start / 512 + at));
  const host = new WrappedVolume(volume);
  host.openForWriting = async (path) => {
    const storage = await volume.openForWriting(path);
    if (path !== IMAGE_PATH) return storage;
    const wrapped = new WrappedStorage(storage);
    const sectors = (from: number, bytes: Uint8Array) =>
      Array.from({ length: Math.ceil(bytes.length / 512) }, (_, at) => Math.floor(from / 512) + at);
    wrapped.read = async (hostOffset, into) => {
      if (sectors(hostOffset, into).some((sector) => lost.has(sector)))
        throw new ImageError("io", "Cannot read", { path, operation: "read" });
      return storage.read(hostOffset, into);
    };
    wrapped.write = async (hostOffset, bytes) => {
      for (const sector of sectors(hostOffset, bytes)) lost.delete(sector);
      await storage.write(hostOffset, bytes);
    };
    return wrapped;
  };
  return host;
}

test.each([
  ["the block of the MBR, lost with it", 3, 0, 4096],
  ["the block of the primary header, lost with it", 2, 0, 4096],
  ["a sector of the new backup", 2, NEW_SIZE - 512, 512],
])("%s, comes from the journal, and both ways lead on", async (_, write, start, length) => {
  const done = volumeOf(disk);
  await converted(done, "raw", TO_RAW);
  for (const command of [resume, rollback]) {
    const volume = await stoppedBefore(write);
    await command(IMAGE_PATH, {}, testHost(losing(volume, start, length)));
    expect(bytesOf(volume).equals(command === resume ? bytesOf(done) : disk)).toBe(true);
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  }
});

test("a primary header in a large sector, lost with its block, comes from the journal", async () => {
  const large = gptDisk({ sectorSize: 4096, sectors: 64, partitions: [[10, 20]] });
  const options = { align: "384k", gpt: "relocate" };
  const done = volumeOf(large);
  await converted(done, "raw", options);
  wholeGpt(bytesOf(done), 4096);
  for (const command of [resume, rollback]) {
    const volume = await stoppedBefore(2, large, options);
    await command(IMAGE_PATH, {}, testHost(losing(volume, 4096, 4096)));
    expect(bytesOf(volume).equals(command === resume ? bytesOf(done) : large)).toBe(true);
    // And on the way back, whose first write is the MBR.
    const kept = volumeOf(large);
    await converted(kept, "raw", options, { keepUndo: true });
    const back = new RecordingVolume(kept.snapshots());
    await rollback(IMAGE_PATH, {}, testHost(back));
    const writes = back.operations.filter((each) => each.kind === "write" && each.path === IMAGE_PATH);
    const primary = writes.findLastIndex((each) => each.kind === "write" && each.hostOffset === 4096);
    const cut = cutBefore(back, 1 + primary);
    await command(IMAGE_PATH, {}, testHost(losing(cut, 4096, 4096)));
    expect(bytesOf(cut).equals(large)).toBe(true);
  }
});

test.each([
  { others: [], ends: "is put back at once" },
  { others: ["somebody has it open"], ends: "stays for whoever has opened it meanwhile" },
])("a disk that can't grow $ends", async ({ others }) => {
  const volume = volumeOf(disk);
  const full = new WrappedVolume(volume);
  full.openForWriting = async (path) => {
    const storage = await volume.openForWriting(path);
    if (path !== IMAGE_PATH) return storage;
    const wrapped = new WrappedStorage(storage);
    wrapped.resize = async (size) => {
      volume.users = { found: others, blind: [] };
      if (size > disk.length) throw new ImageError("no-space", "No space", { path });
      await storage.resize(size);
    };
    return wrapped;
  };
  const error = await convert(IMAGE_PATH, "raw", { format: "raw", options: TO_RAW }, testHost(full)).catch(
    (thrown: unknown) => thrown,
  );
  const isPutBack = others.length === 0;
  expect(error).toMatchObject({ kind: "no-space", rolledBack: isPutBack });
  expect(bytesOf(volume).equals(disk)).toBe(true);
  expect(Object.keys(volume.snapshots())).toHaveLength(isPutBack ? 1 : 2);
});

test("the journal that stands says what was there, compactly", async () => {
  const volume = volumeOf(disk);
  await converted(volume, "vpc", { ...FIXED, ...TO_RAW }, { keepUndo: true });
  const found = await Journal.find(volume, IMAGE_PATH);
  if (typeof found === "string" || found.work.intent.record === "repair") throw new Error("no journal");
  const { changed } = found.work.intent.journey ?? {};
  expect(changed).toMatchObject({ oldFileSize: disk.length, fileSize: NEW_SIZE });
  const [backup, primary, mbr] = changed?.steps ?? [];
  expect(backup?.map(([at, length, before]) => [at, length, before])).toEqual([
    [NEW_SIZE - 33 * 512, 32 * 512, ""],
    [NEW_SIZE - 512, 512, ""],
  ]);
  expect(primary?.[0]?.[2]).toBe(disk.toString("hex", 512, 512 + 92));
  expect(mbr?.[0]?.[2]).toBe(disk.toString("hex", 0, 512));
});
