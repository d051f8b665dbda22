/** qcow2 files that our target side lays out, judged by qemu-img and written to by qemu-io. */

import { execFileSync } from "node:child_process";
import { closeSync, openSync, readSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RangeSet } from "../../src/bytes/range-set.ts";
import { qcow2Driver } from "../../src/formats/qcow2/driver.ts";
import { ExtentState, eachExtent } from "../../src/image/extent.ts";
import { FileVolume } from "../../src/storage/file/file-volume.ts";
import {
  backingFile,
  convertToQcow2,
  type GuestShape,
  makeSource,
  plainSource,
  removeScratch,
  scratchFolder,
  seededRandom,
} from "../formats/qcow2/target-image.ts";
import { openWith } from "../support/open-with.ts";
import { sampled } from "../support/oracle-sample.ts";

let folder = "";
beforeAll(() => {
  folder = scratchFolder();
});
afterAll(() => removeScratch(folder));

function run(tool: string, ...words: string[]): string {
  return execFileSync(tool, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Fails unless qemu-img finds neither corruption nor leak. */
function expectClean(path: string): void {
  const report = JSON.parse(run("qemu-img", "check", "-f", "qcow2", "--output=json", path));
  expect(report["check-errors"]).toBe(0);
  expect(report.corruptions ?? 0).toBe(0);
  expect(report.leaks ?? 0).toBe(0);
}

function expectSame(path: string, rawPath: string): void {
  expect(run("qemu-img", "compare", "-f", "qcow2", "-F", "raw", path, rawPath)).toContain("Images are identical.");
  // A shorter disk is the same to qemu-img where the rest is zeros.
  expect(virtualSizeOf(path)).toBe(statSync(rawPath).size);
}

/** What the header says, without a process. */
function virtualSizeOf(path: string): number {
  const head = Buffer.alloc(32);
  const descriptor = openSync(path, "r");
  readSync(descriptor, head, 0, head.length, 0);
  closeSync(descriptor);
  return Number(head.readBigUInt64BE(24));
}

/** Text that compresses, with a cluster of noise and an empty one now and then. */
function partlyCompressible(virtualSize: number, clusterSize: number): Uint8Array {
  const random = seededRandom(clusterSize);
  const disk = new Uint8Array(virtualSize);
  for (let at = 0; at < virtualSize; at++) {
    const cluster = Math.floor(at / clusterSize) % 6;
    if (cluster === 5) disk[at] = Math.floor(random() * 256);
    else if (cluster !== 4) disk[at] = 65 + ((at >> 5) % 26);
  }
  return disk;
}

/** Where qemu-img says the guest's bytes lie; it splits by holes of the file, which do not matter here. */
function placesOf(path: string): { guestOffset: number; hostOffset: number; length: number }[] {
  const rows: { start: number; length: number; offset?: number }[] = JSON.parse(
    run("qemu-img", "map", "-f", "qcow2", "--output=json", path),
  );
  const places: { guestOffset: number; hostOffset: number; length: number }[] = [];
  for (const { start, length, offset } of rows) {
    if (offset === undefined) continue;
    const last = places.at(-1);
    const continues = last && last.guestOffset + last.length === start && last.hostOffset + last.length === offset;
    if (continues) last.length += length;
    else places.push({ guestOffset: start, hostOffset: offset, length });
  }
  return places;
}

/** The same writes into the image and into the raw disk, all over, zeros and discards among them. */
function writeAllOver(path: string, rawPath: string, virtualSize: number, clusterSize: number, seed: number): void {
  const random = seededRandom(seed);
  const commands: string[] = [];
  for (let turn = 0; turn < 24; turn++) {
    const length = 512 * (1 + Math.floor(random() * Math.min(256, virtualSize / 512)));
    const at = 512 * Math.floor((random() * (virtualSize - length)) / 512);
    commands.push("-c", turn % 5 === 4 ? `write -z ${at} ${length}` : `write -P ${1 + (turn % 250)} ${at} ${length}`);
  }
  commands.push("-c", `write -P 77 ${Math.max(0, virtualSize - clusterSize)} 512`, "-c", "flush");
  run("qemu-io", "-f", "qcow2", ...commands, path);
  run("qemu-io", "-f", "raw", ...commands, rawPath);
}

const shape = (clusterSize: number, fields: Partial<GuestShape> = {}): GuestShape => ({
  clusterSize,
  virtualSize: clusterSize * (clusterSize > 131_072 ? 9 : 70) + 512,
  seed: clusterSize,
  dataShare: 0.4,
  zeroShare: 0.2,
  maxGap: 2,
  ...fields,
});

const CLUSTER_SIZES = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576, 2097152];
const REFCOUNT_BITS = [1, 2, 4, 8, 16, 32, 64];

describe.each(sampled(CLUSTER_SIZES, 2))("a qcow2 of clusters of %i bytes", (clusterSize) => {
  it.each(REFCOUNT_BITS)("with refcounts of %i bits is clean, the same, and takes writes", (refcountBits) => {
    const guest = shape(clusterSize, { seed: clusterSize + refcountBits });
    const file = makeSource(folder, `a-${clusterSize}-${refcountBits}`, guest);
    const options = { refcount_bits: refcountBits, lazy_refcounts: refcountBits === 4 };
    convertToQcow2(file, plainSource(guest), options);
    expectClean(file.path);
    expectSame(file.path, file.rawPath);
    writeAllOver(file.path, file.rawPath, guest.virtualSize, clusterSize, refcountBits);
    expectClean(file.path);
    expectSame(file.path, file.rawPath);
  });

  it("of version 2 is clean, the same, and takes writes", () => {
    const guest = shape(clusterSize, { zeroShare: 0, virtualSize: clusterSize * (clusterSize > 131_072 ? 9 : 130) });
    const file = makeSource(folder, `v2-${clusterSize}`, guest);
    convertToQcow2(file, plainSource(guest), { compat: "0.10" });
    const info = JSON.parse(run("qemu-img", "info", "--output=json", file.path));
    expect(info["format-specific"].data.compat).toBe("0.10");
    expectClean(file.path);
    expectSame(file.path, file.rawPath);
    writeAllOver(file.path, file.rawPath, guest.virtualSize, clusterSize, 3);
    expectClean(file.path);
    expectSame(file.path, file.rawPath);
  });
});

describe("a qcow2 with compressed clusters", () => {
  it.each([
    ["zlib", 65536, { refcount_bits: 32 }],
    ["zlib", 65536, { compat: "0.10" }],
    ["zlib", 512, { refcount_bits: 64 }],
    ["zlib", 4096, { lazy_refcounts: true, refcount_bits: 64 }],
    ["zlib", 2097152, { refcount_bits: 32 }],
    ["zstd", 65536, { refcount_bits: 64 }],
    ["zstd", 4096, { refcount_bits: 32 }],
  ])("of %s and %i bytes keeps them where they lie, as %o", async (method, clusterSize, options) => {
    const name = `compressed-${method}-${clusterSize}-${Object.values(options).join("-")}`;
    const rawPath = join(folder, `${name}.raw`);
    const path = join(folder, `${name}.qcow2`);
    const virtualSize = clusterSize * (clusterSize > 65536 ? 9 : 61) + 512;
    writeFileSync(rawPath, partlyCompressible(virtualSize, clusterSize));
    const created = `cluster_size=${clusterSize},compression_type=${method}`;
    run("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", created, rawPath, path);
    const storage = await new FileVolume().openForReading(path);
    const image = await openWith(qcow2Driver, storage);
    const extents = await image.getMapping();
    const { fileSize } = image;
    const source = image.getConversionOptions();
    await storage.close();
    const states = new Set(extents.state);
    expect(states).toContain(ExtentState.compressed);
    expect(states).toContain(ExtentState.data);

    convertToQcow2({ path, fileSize, extents }, source, options, source.usedHeader);
    expectClean(path);
    expectSame(path, rawPath);
    const entries = JSON.parse(run("qemu-img", "check", "--output=json", path))["compressed-clusters"];
    expect(entries).toBe([...eachExtent(extents)].filter(({ state }) => state === ExtentState.compressed).length);
    writeAllOver(path, rawPath, virtualSize, clusterSize, 5);
    expectClean(path);
    expectSame(path, rawPath);
  });
});

describe("a qcow2 laid out by us", () => {
  it.each([
    ["nothing allocated", { dataShare: 0, zeroShare: 0 }],
    ["everything allocated", { dataShare: 1, zeroShare: 0, maxGap: 0 }],
    ["everything zero", { dataShare: 0, zeroShare: 1 }],
    ["one sector", { virtualSize: 512, dataShare: 1, zeroShare: 0 }],
    ["no byte", { virtualSize: 0 }],
    ["large gaps in the file", { dataShare: 0.2, maxGap: 3000 }],
  ])("with %s maps as the extents say", (name, fields) => {
    const guest = shape(65536, fields);
    const file = makeSource(folder, `special-${name.replaceAll(" ", "-")}`, guest);
    const { extents } = convertToQcow2(file, plainSource(guest), {});
    expectClean(file.path);
    expectSame(file.path, file.rawPath);
    expect(placesOf(file.path)).toEqual(
      [...eachExtent(extents)]
        .filter(({ state }) => state === ExtentState.data)
        .map(({ guestOffset, hostOffset, length }) => ({ guestOffset, hostOffset, length })),
    );
  });

  it("takes clusters smaller and larger than the source's", () => {
    for (const [from, to] of [
      [65536, 512],
      [65536, 4096],
      [4194304, 2097152],
    ] as const) {
      const guest = shape(from, { virtualSize: from * 12 });
      const file = makeSource(folder, `other-${from}-${to}`, guest);
      convertToQcow2(file, plainSource(guest), from > 2097152 ? {} : { cluster_size: to });
      const info = JSON.parse(run("qemu-img", "info", "--output=json", file.path));
      expect(info["cluster-size"]).toBe(to);
      expectClean(file.path);
      expectSame(file.path, file.rawPath);
    }
  });

  it("reaches beyond 4 GiB of the file with small clusters and wide refcounts", () => {
    const guest = shape(4096, { virtualSize: 4096 * 40, maxGap: 60_000, dataShare: 0.9 });
    const file = makeSource(folder, "far", guest);
    expect(file.fileSize).toBeGreaterThan(2 ** 32);
    convertToQcow2(file, plainSource(guest), { refcount_bits: 32 });
    expectClean(file.path);
    expectSame(file.path, file.rawPath);
  });

  it.each([
    ["short", "base.raw", 64],
    ["that just fits", "b".repeat(376), 64],
    ["one byte too long for the sector", "b".repeat(377), 64],
    ["of 1023 bytes, which goes to unused bytes", "b".repeat(1023), 64],
    ["that lies where it may stay", "b".repeat(600), 1024],
    ["that begins in the first sector", "b".repeat(500), 200],
  ])("keeps a backing name %s", (_, name, nameHostOffset) => {
    const base = join(folder, "base.raw");
    const guest = shape(4096, { virtualSize: 4096 * 30 });
    writeFileSync(base, new Uint8Array(guest.virtualSize).fill(0xba));
    const file = makeSource(folder, `backed-${name.length}-${nameHostOffset}`, guest, base);
    const backing = backingFile(name, "raw", nameHostOffset);
    const usedHeader = RangeSet.of({ start: 0, end: 64 }, { start: nameHostOffset, end: nameHostOffset + name.length });
    writeAt(file.path, backing.nameBytes, nameHostOffset);
    convertToQcow2(file, plainSource({ ...guest, backing }), {}, usedHeader);
    const info = JSON.parse(run("qemu-img", "info", "--output=json", file.path));
    expect(info["backing-filename"]).toBe(name);
    expect(info["backing-filename-format"]).toBe("raw");
    run("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "raw", "-b", basename(base), file.path);
    expectClean(file.path);
    expectSame(file.path, file.rawPath);
    writeAllOver(file.path, file.rawPath, guest.virtualSize, 4096, 9);
    expectClean(file.path);
    expectSame(file.path, file.rawPath);
  });
});

function writeAt(path: string, bytes: Uint8Array, hostOffset: number): void {
  execFileSync("dd", [`of=${path}`, "conv=notrunc", "bs=1", `seek=${hostOffset}`, "status=none"], { input: bytes });
}
