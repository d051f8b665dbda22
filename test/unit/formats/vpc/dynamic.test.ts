/** Dynamic VHDs are read as their two footers, their header and their table have them; what readers differ in is refused. */

import { describe, expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { openImage, probeFormat } from "../../../../src/formats/registry.ts";
import { eachExtent } from "../../../../src/image/extent.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { buildDynamic, seal } from "../../../formats/vpc/dynamic/builder.ts";
import { dynamicCases, dynamicFound } from "../../../formats/vpc/dynamic/cases.ts";
import { dynamicFieldSites } from "../../../formats/vpc/dynamic/field-sites.ts";
import { readDynamicNaively } from "../../../formats/vpc/dynamic/naive-reader.ts";
import { mutate } from "../../../fuzz/mutator.ts";
import { seededRandom } from "../../../support/random.ts";

const PLAIN = { virtualSize: 40 * 4096, data: [0, 1, 5] };
const open = (bytes: Uint8Array, options = {}) => openImage(memoryStorage(bytes, "a.vhd"), undefined, { options });
const metadataOf = async (bytes: Uint8Array) => [...(await (await open(bytes)).getMetadataRanges()).each()];

test("mapping, metadata and what a target is told", async () => {
  const { bytes } = buildDynamic(PLAIN);
  const image = await open(bytes);
  expect(image).toMatchObject({ format: "vpc", virtualSize: 163_840, fileSize: 16_384 });
  expect([...eachExtent(await image.getMapping())]).toMatchObject([
    { guestOffset: 0, hostOffset: 2560, length: 4096, state: 0 },
    { guestOffset: 4096, hostOffset: 7168, length: 4096, state: 0 },
    { guestOffset: 8192, hostOffset: -1, length: 12_288, state: 2 },
    { guestOffset: 20_480, hostOffset: 11_776, length: 4096, state: 0 },
    { guestOffset: 24_576, hostOffset: -1, length: 139_264, state: 2 },
  ]);
  expect(await metadataOf(bytes)).toEqual([
    { start: 0, end: 2560 },
    { start: 6656, end: 7168 },
    { start: 11_264, end: 11_776 },
    { start: 15_872, end: 16_384 },
  ]);
  expect(image.getSpecificInfo()).toEqual({ format: "vpc", clusterSize: 4096 });
  const { footer, ...options } = image.getConversionOptions();
  expect(Buffer.from(footer as Uint8Array).equals(bytes.subarray(-512))).toBe(true);
  expect(options).toMatchObject({ clusterSize: 4096, sharingSize: 512, unclean: [], forgettable: [] });
  expect(options.linearBase).toBeUndefined();
  expect(await checkOf(image)).toMatchObject({
    corruptions: 0,
    warnings: 0,
    imageEndOffset: 16_384,
    totalClusters: 40,
    allocatedClusters: 3,
    fragmentedClusters: 0,
  });
});

test("a longer table makes the disk no longer, and what it holds there is told", async () => {
  const longer = await open(buildDynamic({ ...PLAIN, maxEntries: 300, entries: { 40: 4, 299: 30 } }).bytes);
  expect(longer.virtualSize).toBe(163_840);
  expect(longer.getConversionOptions().forgettable).toEqual([
    "2 blocks that the block allocation table has behind the disk's end",
  ]);
});

test.each(dynamicCases.map((each) => [each.name, each] as const))("%s", async (name, { bytes, says }) => {
  if (says === undefined) {
    expect((await probeFormat(memoryStorage(bytes))).name).toBe("vpc");
    const image = await open(bytes);
    // A disk of 127 GiB is its size alone.
    if (image.virtualSize < 2 ** 30) expect(image.virtualSize).toBe(readDynamicNaively(bytes).length);
    expect(await checkOf(image)).toMatchObject({ corruptions: 0, warnings: 0 });
    return;
  }
  const isFound = dynamicFound.some((each) => each.name === name);
  if (isFound) {
    const image = await open(bytes);
    const { findings } = await checkOf(image);
    const said = [...findings.map(({ message }) => message), ...image.getConversionOptions().unclean].join("\n");
    expect(said).toMatch(says);
    return;
  }
  const error = await open(bytes).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ImageError);
  expect((error as ImageError).message).toMatch(says);
  expect((error as ImageError).message).toContain("a.vhd");
});

describe("one of the two footers is none", () => {
  const found = (name: string) => dynamicFound.find((each) => each.name.endsWith(name))?.bytes ?? Buffer.alloc(0);

  test.each([
    ["--dynamic-copy-missing", "footer copy", "footer-missing", { corruptions: 1, warnings: 0 }],
    ["--dynamic-copy-bad", "footer copy", "footer-bad", { corruptions: 1, warnings: 0 }],
    ["--dynamic-footer-bad", "footer", "footer-bad", { corruptions: 0, warnings: 1 }],
    ["--dynamic-footer-cut-off", "footer", "footer-missing", { corruptions: 0, warnings: 1 }],
  ])("%s: the other speaks, and the check names it", async (name, structure, kind, counts) => {
    const image = await open(found(name));
    const guest = buildDynamic(PLAIN).guest;
    for (const { guestOffset, hostOffset, length } of eachExtent(await image.getMapping())) {
      if (hostOffset < 0) continue;
      const there = found(name).subarray(hostOffset, hostOffset + length);
      expect(there.equals(guest.subarray(guestOffset, guestOffset + length))).toBe(true);
    }
    const result = await checkOf(image);
    expect(result).toMatchObject({ ...counts, findings: [{ structure, kind }] });
  });

  test("no metadata is claimed where the footer is not", async () => {
    const cut = await metadataOf(found("--dynamic-footer-cut-off"));
    expect(cut.at(-1)).toEqual({ start: 11_264, end: 11_776 });
    const result = await checkOf(await open(found("--dynamic-something-behind")));
    expect(result.imageEndOffset).toBe(15_872);
  });
});

test("who listens hears each finding once, of many entries alike one", async () => {
  const heard: string[] = [];
  const image = await open(buildDynamic({ ...PLAIN, entries: { 6: 4, 7: 4, 8: 4, 20: 0x1000, 21: 0x1000 } }).bytes);
  const result = await checkOf(image, ({ kind, structure }) => heard.push(`${kind} ${structure}`));
  expect(heard).toEqual([
    "block-overlap BAT entry 6",
    "block-overlap BAT entry 7",
    "entry-out-of-bounds BAT entry 20",
    "entry-out-of-bounds BAT entry 21",
  ]);
  expect(result.corruptions).toBe(5);
  await expect(image.getMapping()).rejects.toMatchObject({ kind: "out-of-bounds", structure: "BAT entry 20" });
});

describe("two sizes", () => {
  const bytes = buildDynamic({ ...PLAIN, creator: "vpc ", geometry: [4, 4, 17], data: [0, 34, 39] }).bytes;

  test("the user's word chooses, and what lies behind the smaller one is told", async () => {
    expect((await open(bytes, { size_from: "current" })).virtualSize).toBe(163_840);
    const smaller = await open(bytes, { size_from: "chs" });
    expect(smaller.virtualSize).toBe(139_264);
    expect(smaller.getConversionOptions().forgettable).toEqual([
      "2 blocks that the block allocation table has behind the disk's end",
    ]);
  });

  test("a GPT's backup header between them is found through the table", async () => {
    const guest = new Uint8Array(40 * 4096);
    Buffer.from("EFI PART").copy(guest, 163_840 - 512);
    const disk = buildDynamic({ ...PLAIN, creator: "vpc ", geometry: [4, 4, 17], data: [39], guest }).bytes;
    await expect(open(disk)).rejects.toThrow(/a GPT's backup header at 0x27e00 among it/);
  });
});

test("fields may lie under right sums too: an ImageError, or the disk that the naive reader sees", async () => {
  const image = Buffer.from(buildDynamic({ ...PLAIN, creator: "vpc ", geometry: [4, 4, 17], maxEntries: 48 }).bytes);
  const fields = dynamicFieldSites(image);
  let opened = 0;
  for (let seed = 0; seed < 600; seed++) {
    const mutant = mutate(image, fields, seededRandom(seed));
    if (mutant.bytes.length < 2048) continue;
    seal(mutant.bytes.subarray(0, 512), 64);
    seal(mutant.bytes.subarray(512, 1536), 36);
    mutant.bytes.copy(mutant.bytes, mutant.bytes.length - 512, 0, 512);
    for (const options of [{ size_from: "current" }, { size_from: "chs" }]) {
      try {
        const found = await open(mutant.bytes, options);
        const extents = [...eachExtent(await found.getMapping())];
        expect(extents.reduce((sum, { length }) => sum + length, 0)).toBe(found.virtualSize);
        for (const { hostOffset, length } of extents)
          if (hostOffset >= 0) expect(hostOffset + length).toBeLessThanOrEqual(mutant.bytes.length - 512);
        await checkOf(found);
        opened++;
        if (found.virtualSize > 2 ** 24 || options.size_from === "chs") continue;
        const guest = Buffer.alloc(found.virtualSize);
        for (const { guestOffset, hostOffset, length } of extents)
          if (hostOffset >= 0) mutant.bytes.copy(guest, guestOffset, hostOffset, hostOffset + length);
        expect(guest.equals(readDynamicNaively(mutant.bytes)), mutant.story.join("; ")).toBe(true);
      } catch (error) {
        expect(error, mutant.story.join("; ")).toBeInstanceOf(ImageError);
      }
    }
  }
  expect(opened).toBeGreaterThan(100);
});

test("where guests could make the file end, its own writers' way, nothing new may lie", async () => {
  const { bytes } = buildDynamic({ ...PLAIN, blockSize: 8192, virtualSize: 10 * 8192, data: [0, 3] });
  const image = await open(bytes);
  // Of the ten blocks eight may come, each with its bitmap.
  await image.getMapping();
  expect(image.getConversionOptions().grownEnd).toBe(bytes.length + 8 * (512 + 8192));
});

test("of each block the first sector that its bitmap hides is told, behind others that are zeros", async () => {
  const guest = new Uint8Array(4 * 8192).fill(7);
  guest.fill(0, 8192, 8192 + 2048);
  // In block 1 sectors 0 to 2 are zeros, sector 9 is not; in block 2 all are told as written, in block 3 none.
  const isWritten = (block: number, sector: number) => (block === 1 ? sector > 2 && sector !== 9 : block !== 3);
  const description = { virtualSize: 4 * 8192, data: [1, 2, 3], blockSize: 8192, guest, isWritten };
  const { findings, warnings } = await checkOf(await open(buildDynamic(description).bytes));
  expect(warnings).toBe(2);
  expect(findings).toMatchObject([
    { kind: "bitmap-hides-data", structure: "sector bitmap 1", guestOffset: 8192 + 9 * 512, hostOffset: 2048 },
    { kind: "bitmap-hides-data", structure: "sector bitmap 3", guestOffset: 3 * 8192 },
  ]);
});
