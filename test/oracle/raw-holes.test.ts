/** Holes of raw images: map as qemu-img's, the same guest whether they are told, skipped or read. */

import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GiB, KiB, MiB } from "../../src/bytes/align.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { type MapEntry, map, mapText } from "../../src/convert/reading/map.ts";
import { FileVolume } from "../../src/storage/file/file-volume.ts";
import { mapAsQemu } from "../support/qemu-words.ts";

interface Sparse {
  readonly name: string;
  readonly size: number;
  /** Where a few bytes lie. */
  readonly written: readonly number[];
}

const images: readonly Sparse[] = [
  { name: "all-hole", size: 3 * MiB, written: [] },
  { name: "front", size: 3 * MiB, written: [0] },
  { name: "end", size: 3 * MiB, written: [3 * MiB - 3] },
  { name: "scattered", size: 40 * MiB, written: Array.from({ length: 60 }, (_, at) => ((at * 37) % 97) * 300 * KiB) },
  { name: "far", size: 6 * GiB, written: [5 * GiB + 512 * KiB] },
  { name: "full", size: 64 * KiB, written: Array.from({ length: 16 }, (_, at) => at * 4 * KiB) },
  { name: "odd-data", size: MiB + 5, written: [0, MiB + 2] },
  { name: "odd-hole", size: MiB + 5, written: [7] },
  { name: "short", size: 3, written: [0] },
];

let folder: string;
const at = (name: string): string => join(folder, name);
const run = (...words: string[]): string => execFileSync("qemu-img", words, { encoding: "utf8", cwd: folder });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "raw-holes-"));
  for (const { name, size, written } of images) {
    const file = openSync(at(name), "w");
    ftruncateSync(file, size);
    for (const place of written) writeSync(file, "abc", place);
    closeSync(file);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(images)("$name", ({ name, size }) => {
  test("map", async () => {
    const theirs = JSON.parse(run("map", "--output=json", "-f", "raw", name)) as MapEntry[];
    // To qemu-img a disk has whole sectors; what lies past the file is a row of zeros, or a part of one.
    const cut = theirs
      .filter(({ start }) => start < size)
      .map((entry) => ({ ...entry, length: Math.min(entry.length, size - entry.start) }));
    const report = await map(at(name), { format: "raw" });
    expect(mapAsQemu(report.entries)).toEqual(cut);
    expect(`${mapText(report)}\n`).toBe(run("map", "-f", "raw", at(name)));
  });

  test("is the same guest where nothing tells of holes", async () => {
    const blind = new FileVolume({ platform: "linux", searchPath: folder });
    const path = at(name);
    if (size < GiB) {
      const { checksum: read } = await checksum(path, { format: "raw" }, blind);
      expect((await checksum(path, { format: "raw" })).checksum).toBe(read);
      expect(await compare(path, path, { formatA: "raw", formatB: "raw" }, blind)).toMatchObject({ identical: true });
    }
    run("convert", "-f", "raw", "-O", "qcow2", name, `${name}.qcow2`);
    expect(await compare(path, at(`${name}.qcow2`), { formatA: "raw" })).toMatchObject({ firstDifference: null });
  });
});

test("an image above a raw one with holes", async () => {
  run("create", "-q", "-f", "qcow2", "-b", "scattered", "-F", "raw", "overlay", "41M");
  execFileSync("qemu-io", ["-f", "qcow2", "-c", "write -P 3 1M 200k", "-c", "write -z 5M 64k", at("overlay")]);
  const { entries } = await map(at("overlay"), { backingChain: true });
  expect(mapAsQemu(entries)).toEqual(JSON.parse(run("map", "--output=json", "overlay")));
});
