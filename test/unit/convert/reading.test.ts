/** checksum, compare, info and map over images in memory. */

import { describe, expect, test } from "vitest";
import { alignUp } from "../../../src/bytes/align.ts";
import type { Progress } from "../../../src/convert/options/options.ts";
import { checksum } from "../../../src/convert/reading/checksum.ts";
import { compare } from "../../../src/convert/reading/compare.ts";
import { info, infoChain } from "../../../src/convert/reading/info.ts";
import { infoText } from "../../../src/convert/reading/info-text.ts";
import { map, mapText } from "../../../src/convert/reading/map.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { buildQcow2Layer } from "../../formats/qcow2/layer.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { referenceBlkhash, sha256 } from "../../support/guest-layer.ts";

const SIZE = 16384;
const qed = buildQedImage({ virtualSize: SIZE, data: new Map([[0, 0x61]]), zero: [2] });
const qedGuest = Buffer.alloc(SIZE);
qedGuest.fill(0x61, 0, 4096);
const overlay = buildQcow2Layer({
  virtualSize: 2048,
  data: { 2: 0x62 },
  zero: [3],
  backingName: "base.raw",
  backingFormat: "raw",
});
const chainGuest = Buffer.alloc(2048);
chainGuest.fill(0x63, 0, 700).fill(0x62, 1024, 1536);

const volume = new MemoryVolume({
  "disk.qed": qed.bytes,
  "vm/top.qcow2": overlay,
  "vm/base.raw": Buffer.alloc(700, 0x63),
  "guest.raw": qedGuest,
  "chain.raw": chainGuest,
  "short.raw": qedGuest.subarray(0, 4096),
  "other.raw": Buffer.concat([qedGuest, Buffer.from("tail")]),
  "locked.qcow2": buildQcow2Layer({ virtualSize: 2048, encryption: 1 }),
});

describe("checksum", () => {
  test("says what it covers and of what", async () => {
    expect(await checksum("disk.qed", {}, volume)).toEqual({
      image: "disk.qed",
      algorithm: "blkhash-sha256",
      covers: "guest",
      checksum: referenceBlkhash(qedGuest),
    });
    const { checksum: digest } = await checksum("disk.qed", { algorithm: "sha256" }, volume);
    expect(digest).toBe(sha256(qedGuest));
  });

  test("of an image with a backing file needs consent, and covers the whole guest then", async () => {
    await expect(checksum("vm/top.qcow2", {}, volume)).rejects.toMatchObject({
      kind: "unsupported",
      message:
        "Cannot read the guest of vm/top.qcow2: it has a backing file, which is followed only with --backing-chain",
    });
    const report = await checksum("vm/top.qcow2", { backingChain: true }, volume);
    expect(report).toMatchObject({ covers: "guest", checksum: referenceBlkhash(chainGuest) });
  });

  test("raw must be said", async () => {
    await expect(checksum("guest.raw", {}, volume)).rejects.toMatchObject({ kind: "not-this-format" });
    const report = await checksum("guest.raw", { format: "raw" }, volume);
    expect(report.checksum).toBe(referenceBlkhash(qedGuest));
  });

  test("an encrypted disk is not what the guest sees", async () => {
    await expect(checksum("locked.qcow2", {}, volume)).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringMatching(/encrypted/),
    });
  });

  test("tells its progress", async () => {
    const seen: Progress[] = [];
    await checksum("disk.qed", { onProgress: (progress) => seen.push(progress) }, volume);
    expect(seen.at(-1)).toEqual({ stage: "checksum", done: 4096, total: 4096 });
  });
});

describe("compare", () => {
  const raw = { formatB: "raw" } as const;

  test("in qemu-img's words", async () => {
    expect(await compare("disk.qed", "guest.raw", raw, volume)).toEqual({
      identical: true,
      firstDifference: null,
      sizes: [SIZE, SIZE],
      message: "Images are identical.",
    });
    expect(await compare("disk.qed", "short.raw", raw, volume)).toMatchObject({
      identical: true,
      sizes: [SIZE, 4096],
      message: "Warning: Image size mismatch!\nImages are identical.",
    });
    expect(await compare("disk.qed", "other.raw", raw, volume)).toMatchObject({
      identical: false,
      firstDifference: SIZE,
      message: `Warning: Image size mismatch!\nContent mismatch at offset ${SIZE}!`,
    });
    expect(await compare("disk.qed", "chain.raw", raw, volume)).toMatchObject({
      firstDifference: 0,
      sizes: [SIZE, 2048],
      message: "Content mismatch at offset 0!",
    });
  });

  test("names the byte and prints the sector", async () => {
    const bytes = Buffer.from(qedGuest);
    bytes[4097] = 1;
    const changed = new MemoryVolume({ "disk.qed": qed.bytes, "changed.raw": bytes });
    expect(await compare("disk.qed", "changed.raw", raw, changed)).toMatchObject({
      firstDifference: 4097,
      message: "Content mismatch at offset 4096!",
    });
  });

  test("strictly, sizes and allocation count, in qemu-img's words", async () => {
    const strict = { ...raw, strict: true };
    const stored = (data: Readonly<Record<number, number>>, zero: number[] = []) =>
      buildQcow2Layer({ virtualSize: 4096, data, zero });
    const images = new MemoryVolume({
      a: stored({ 0: 1, 4: 2 }),
      same: stored({ 0: 1, 4: 2 }),
      more: stored({ 0: 1, 2: 0, 4: 2 }),
      zeros: stored({ 0: 1, 4: 2 }, [2]),
      content: stored({ 0: 9, 2: 0, 4: 2 }),
      later: stored({ 0: 1, 4: 3 }, [6]),
      longer: buildQcow2Layer({ virtualSize: 8192, data: { 0: 1, 4: 2 } }),
    });
    const says = async (name: string, options = {}) => compare("a", name, options, images);
    const at = (offset: number) => ({
      identical: false,
      firstDifference: offset,
      message: `Strict mode: Offset ${offset} block status mismatch!`,
    });
    expect(await says("same", { strict: true })).toMatchObject({ identical: true, message: "Images are identical." });
    expect(await says("more")).toMatchObject({ identical: true });
    expect(await says("more", { strict: true })).toMatchObject(at(1024));
    expect(await says("zeros", { strict: true })).toMatchObject(at(1024));
    // What differs before the first range that is allocated otherwise is told first, what differs after it never.
    expect(await says("content", { strict: true })).toMatchObject({ message: "Content mismatch at offset 0!" });
    expect(await says("later", { strict: true })).toMatchObject({ message: "Content mismatch at offset 2048!" });
    expect(await compare("zeros", "later", { strict: true }, images)).toMatchObject(at(1024));
    expect(await says("longer", { strict: true })).toMatchObject({
      identical: false,
      firstDifference: null,
      message: "Strict mode: Image size mismatch!",
    });
    expect(await compare("disk.qed", "other.raw", strict, volume)).toMatchObject({ firstDifference: null });
  });

  test("follows backing files with consent only", async () => {
    await expect(compare("vm/top.qcow2", "chain.raw", raw, volume)).rejects.toMatchObject({ kind: "unsupported" });
    const report = await compare("vm/top.qcow2", "chain.raw", { ...raw, backingChain: true }, volume);
    expect(report.identical).toBe(true);
  });

  test("asks for the holes of both at once, and closes neither while it is asked", async () => {
    const both = { formatA: "raw", formatB: "raw" } as const;
    /** Answers once all are asked; then the first throws before the second has answered. */
    const asking = (count: number, fails: boolean) => {
      const events: string[] = [];
      let go: () => void = () => {};
      const allAsked = new Promise<void>((resolve) => {
        go = resolve;
      });
      const openForReading = async (path: string): Promise<Storage> => ({
        ...memoryStorage(qedGuest, path),
        close: async () => void events.push(`close ${path}`),
        async dataRanges() {
          events.push(`ask ${path}`);
          if (events.length === count) go();
          await allAsked;
          if (fails && path === "a") throw new Error("no holes");
          await new Promise((resolve) => setImmediate(resolve));
          events.push(`told ${path}`);
          return undefined;
        },
      });
      return { events, volume: Object.assign(new MemoryVolume(), { openForReading }) };
    };
    const fine = asking(2, false);
    expect((await compare("a", "b", both, fine.volume)).identical).toBe(true);
    expect(fine.events).toEqual(["ask a", "ask b", "told a", "told b", "close b", "close a"]);
    const failing = asking(2, true);
    await expect(compare("a", "b", both, failing.volume)).rejects.toThrow("no holes");
    expect(failing.events).toEqual(["ask a", "ask b", "told b", "close b", "close a"]);
  });

  test("closes the first image when the second is missing", async () => {
    await expect(compare("disk.qed", "gone", {}, volume)).rejects.toMatchObject({ kind: "io" });
  });
});

describe("map", () => {
  test("rows of one layer", async () => {
    const report = await map("disk.qed", {}, volume);
    const hostOffset = qed.dataOffsets.get(0);
    const nothing = { depth: 0, present: false, zero: true, data: false, compressed: false };
    expect(report).toEqual({
      image: "disk.qed",
      covers: "guest",
      files: ["disk.qed"],
      entries: [
        { ...nothing, start: 0, length: 4096, present: true, zero: false, data: true, offset: hostOffset },
        { ...nothing, start: 4096, length: 4096 },
        { ...nothing, start: 8192, length: 4096, present: true },
        { ...nothing, start: 12288, length: 4096 },
      ],
    });
    expect(mapText(report).split("\n")).toEqual([
      "Offset          Length          Mapped to       File",
      `0               0x1000          0x${hostOffset?.toString(16).padEnd(14)}disk.qed`,
    ]);
  });

  test("what falls through to a file that was not read is not said to be zeros", async () => {
    const { covers, entries } = await map("vm/top.qcow2", {}, volume);
    expect(covers).toBe("layer");
    expect(entries.map(({ start, present, zero, data }) => ({ start, present, zero, data }))).toEqual([
      { start: 0, present: false, zero: false, data: false },
      { start: 1024, present: true, zero: false, data: true },
      { start: 1536, present: true, zero: true, data: false },
    ]);
  });

  test("with consent the files below show their rows", async () => {
    const report = await map("vm/top.qcow2", { backingChain: true }, volume);
    expect(report).toMatchObject({ covers: "guest", files: ["vm/top.qcow2", "vm/base.raw"] });
    expect(
      report.entries.map(({ start, length, depth, present, offset }) => ({ start, length, depth, present, offset })),
    ).toEqual([
      { start: 0, length: 700, depth: 1, present: true, offset: 0 },
      { start: 700, length: 324, depth: 0, present: false, offset: undefined },
      { start: 1024, length: 512, depth: 0, present: true, offset: 2560 },
      { start: 1536, length: 512, depth: 0, present: true, offset: undefined },
    ]);
    expect(mapText(report)).toContain("vm/base.raw");
  });
});

describe("infoChain", () => {
  test("tells of the image and of each file below it, by the names that lead there", async () => {
    const [top, base, ...more] = await infoChain("vm/top.qcow2", {}, volume);
    expect(top).toEqual(await info("vm/top.qcow2", {}, volume));
    expect(base).toMatchObject({
      filename: "vm/base.raw",
      format: "raw",
      children: [{ info: { filename: "vm/base.raw" } }],
    });
    expect([base?.children.length, more]).toEqual([1, []]);
    expect(await infoChain("disk.qed", {}, volume)).toEqual([await info("disk.qed", {}, volume)]);
  });

  test("follows a name by the rules alone, and is refused options that it doesn't know", async () => {
    const lonely = new MemoryVolume({ "vm/top.qcow2": overlay });
    await expect(infoChain("vm/top.qcow2", {}, lonely)).rejects.toMatchObject({ kind: "io" });
    const outside = buildQcow2Layer({ virtualSize: 2048, backingName: "../base.raw", backingFormat: "raw" });
    const leading = new MemoryVolume({ "vm/top.qcow2": outside, "base.raw": Buffer.alloc(700) });
    await expect(infoChain("vm/top.qcow2", {}, leading)).rejects.toThrow("it lies outside the image's folder");
    await expect(infoChain("disk.qed", { nonsense: true } as object, volume)).rejects.toThrow("infoChain knows");
  });
});

describe("info", () => {
  test("never opens a backing file", async () => {
    const lonely = new MemoryVolume({ "vm/top.qcow2": overlay });
    const found = await info("vm/top.qcow2", { backingChain: true }, lonely);
    expect(found).toMatchObject({
      filename: "vm/top.qcow2",
      format: "qcow2",
      virtualSize: 2048,
      clusterSize: 512,
      backingFilename: "base.raw",
      fullBackingFilename: "vm/base.raw",
      backingFilenameFormat: "raw",
      dirtyFlag: false,
      children: [{ name: "file", info: { filename: "vm/top.qcow2", virtualSize: alignUp(overlay.length, 512) } }],
    });
    expect(infoText(found)).toContain("backing file: base.raw (actual path: vm/base.raw)\nbacking file format: raw\n");
  });

  test.each([
    [0, "0 B"],
    [512, "512 B"],
    [999, "999 B"],
    [1000, "0.977 KiB"],
    [1536, "1.5 KiB"],
    [1_000_448, "977 KiB"],
    [1_047_552, "0.999 MiB"],
    [1_048_576, "1 MiB"],
    [1_703_936, "1.62 MiB"],
    [1_441_792, "1.38 MiB"],
    [12_845_056, "12.2 MiB"],
    [105_381_888, "100 MiB"],
    [106_430_464, "102 MiB"],
  ])("writes %i bytes as %s", async (size, words) => {
    const one = new MemoryVolume({ "disk.raw": new Uint8Array(size) });
    const text = infoText(await info("disk.raw", { format: "raw" }, one));
    expect(text.split("\n")).toContain(`virtual size: ${words} (${size} bytes)`);
  });

  test("lists snapshots as the newest qemu-img does, by the clock on the wall here", async () => {
    const found = await info("disk.qed", {}, volume);
    const one = { id: "1", vmStateSize: 123_456_789, dateNsec: 5, vmClockSec: 44_446_867, vmClockNsec: 89_000_005 };
    const snapshots = [
      { ...one, name: "one", dateSec: Date.UTC(2026, 10, 29, 2, 5, 49) / 1000 },
      { ...one, id: "2", name: "a\nlong name, longer than that", dateSec: 0, icount: 7, vmClockSec: 59 },
    ];
    const zone = process.env.TZ;
    process.env.TZ = "UTC";
    const lines = infoText({ ...found, snapshots }).split("\n");
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
    const first = lines.indexOf("Snapshot list:");
    expect(lines.slice(first + 1, first + 4)).toEqual([
      "ID      TAG               VM_SIZE                DATE        VM_CLOCK     ICOUNT",
      "1       one               118 MiB 2026-11-29 02:05:49 12346:21:07.089         --",
      "2       a\\nlong name, longer than that  118 MiB 1970-01-01 00:00:00  0000:00:59.089          7",
    ]);
    expect(infoText(found)).not.toContain("Snapshot");
  });

  test("a name from the image can't make lines of its own", async () => {
    const bytes = buildQcow2Layer({ virtualSize: 2048, backingName: "x\ndisk size: 0 B", backingFormat: "raw" });
    const text = infoText(await info("disk.qcow2", {}, new MemoryVolume({ "disk.qcow2": bytes })));
    expect(text.split("\n").filter((line) => line.startsWith("disk size"))).toHaveLength(1);
  });
});
