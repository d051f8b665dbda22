/** A GPT relocated by us, judged by sgdisk, sfdisk and e2fsck; byte for byte what their own tools make of the same grown disk. */

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planGptRelocation } from "../../src/image/gpt/relocation.ts";
import { gptDisk, grown, guestOf, patched, wholeGpt } from "../support/gpt-disk.ts";
import { run } from "../support/qemu-tools.ts";

const MIB = 1 << 20;
const GUID = "11111111-2222-3333-4444-555555555555";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gpt-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Sample {
  readonly name: string;
  readonly sizeMib: number;
  /** Of sgdisk, or a script for sfdisk. */
  readonly make: readonly string[] | string;
  readonly growByMib?: number;
  /** Whose move of the backup is the same to the last byte. */
  readonly sameAs: "sgdisk" | "sfdisk";
  /** But for these bytes. */
  readonly except?: readonly number[];
}

/** Of the protective record: where it ends as cylinder, head and sector; its size. */
const [CHS, SIZE] = [
  [451, 452, 453],
  [458, 459, 460, 461],
] as const;

const samples: readonly Sample[] = [
  { name: "three partitions", sizeMib: 6, make: ["-n1:2048:4095", "-n2:6144:8191", "-n3:10240:0"], sameAs: "sgdisk" },
  { name: "gaps in the numbers", sizeMib: 6, make: ["-n5:2048:4095", "-n128:6144:0", "-c5:boot"], sameAs: "sgdisk" },
  { name: "none", sizeMib: 2, make: [], sameAs: "sgdisk" },
  { name: "four entries", sizeMib: 4, make: ["-S4", "-n1:2048:4095"], sameAs: "sgdisk" },
  { name: "256 entries", sizeMib: 4, make: ["-S256", "-n200:2048:0"], sameAs: "sgdisk" },
  { name: "more cylinders than can be said", sizeMib: 4, make: ["-n1:2048:0"], growByMib: 9000, sameAs: "sgdisk" },
  // sgdisk mirrors the gap in front of the first usable sector at the end of the disk, which nothing asks for; sfdisk
  // gives the record no end, whatever it had.
  { name: "entries moved", sizeMib: 4, make: ["-j100", "-n1:4096:0"], sameAs: "sfdisk", except: CHS },
  { name: "by sfdisk", sizeMib: 6, make: "label: gpt\nstart=2048,size=2048\nstart=6144\n", sameAs: "sfdisk" },
  { name: "by sfdisk, ten entries", sizeMib: 4, make: "label: gpt\ntable-length: 10\nstart=2048\n", sameAs: "sfdisk" },
  // The record lies in front of what the MBR shows: nobody touches it.
  { name: "hybrid", sizeMib: 6, make: ["-n1:2048:4095", "-n2:6144:0", "-h2"], sameAs: "sgdisk" },
  // A size that says "all" goes on saying it; sgdisk counts it anew.
  { name: "all ones", sizeMib: 4, make: ["-n1:2048:0"], sameAs: "sgdisk", except: [...CHS, ...SIZE] },
];

const SLOW = "sync,fsync,clock_nanosleep";
/** Before gdisk's or sgdisk's words: without the sync of the whole machine and the second that they wait for devices to come up. */
const HURRIED = ["-qq", "-o", "/dev/null", "-e", `trace=${SLOW}`, "-e", `inject=${SLOW}:retval=0`];

function sgdisk(...words: string[]): Promise<string> {
  return run("strace", [...HURRIED, "sgdisk", ...words]);
}

/** An empty file with the sample's partitions. */
async function made({ name, sizeMib, make }: Sample): Promise<string> {
  const path = join(folder, `${name.replaceAll(/\W/g, "-")}.img`);
  writeFileSync(path, "");
  truncateSync(path, sizeMib * MIB);
  if (typeof make === "string") {
    const { status, stderr } = spawnSync("sfdisk", ["-q", path], { input: make, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  } else {
    await sgdisk("-o", "-U", GUID, ...make, path);
  }
  if (name === "all ones") {
    const disk = readFileSync(path);
    disk.writeUInt32LE(0xffffffff, 458);
    writeFileSync(path, disk);
  }
  return path;
}

/** The file grown to `newSize` and relocated; how many places were written. */
async function relocate(path: string, newSize: number): Promise<number> {
  const file = await open(path, "r+");
  try {
    const guest = {
      async read(guestOffset: number, into: Uint8Array) {
        await file.read(into, 0, into.length, guestOffset);
      },
    };
    const { steps } = await planGptRelocation(guest, { oldSize: (await file.stat()).size, newSize });
    await file.truncate(newSize);
    const patches = steps.flatMap((step) => step.patches);
    for (const { guestOffset, after } of patches) await file.write(after, 0, after.length, guestOffset);
    return patches.length;
  } finally {
    await file.close();
  }
}

/** Where two files of one length differ, by their first and last 10 MiB: between lies what nobody wrote. */
async function differences(paths: readonly [string, string]): Promise<number[]> {
  const [ours, theirs] = (await Promise.all(paths.map(endsOf))) as [Buffer, Buffer];
  const places: number[] = [];
  for (let at = 0; at < Math.max(ours.length, theirs.length); at += 512) {
    if (ours.subarray(at, at + 512).equals(theirs.subarray(at, at + 512))) continue;
    for (let byte = at; byte < at + 512; byte++) if (ours[byte] !== theirs[byte]) places.push(byte);
  }
  return places;
}

async function endsOf(path: string): Promise<Buffer> {
  const file = await open(path, "r");
  const { size } = await file.stat();
  const half = Math.min(size / 2, 10 * MIB);
  const bytes = Buffer.alloc(2 * half);
  await file.read(bytes, 0, half, 0);
  await file.read(bytes, half, half, size - half);
  await file.close();
  return bytes;
}

async function assertSound(path: string): Promise<void> {
  expect(await sgdisk("-v", path)).toContain("No problems found");
  expect(await run("sfdisk", ["--verify", path])).toContain("No errors detected");
}

/** All that sfdisk tells of each partition but the file's name. */
async function partitionsOf(path: string): Promise<unknown[]> {
  const { partitiontable } = JSON.parse(await run("sfdisk", ["-J", path]));
  return (partitiontable.partitions ?? []).map((row: { node: string }) => ({
    ...row,
    node: row.node.replace(path, ""),
  }));
}

describe.each(samples)("$name", (sample) => {
  const { sizeMib, growByMib = 3, sameAs, except = [] } = sample;
  const newSize = (sizeMib + growByMib) * MIB;

  test(`no problem is found, and it is the same disk as by ${sameAs}`, async () => {
    const path = await made(sample);
    const theirs = `${path}.theirs`;
    copyFileSync(path, theirs);
    const before = await partitionsOf(path);
    truncateSync(theirs, newSize);
    if (sameAs === "sfdisk") await run("sfdisk", ["-q", "--relocate", "gpt-bak-std", theirs]);
    else await sgdisk("-e", theirs);
    expect(await relocate(path, newSize)).toBeGreaterThan(1);
    await assertSound(path);
    expect((await differences([path, theirs])).filter((at) => !except.includes(at))).toEqual([]);
    expect(await partitionsOf(path)).toEqual(before);
    expect(await relocate(path, newSize)).toBe(0);
  });
});

test("an ext4 in a partition stays clean after every step", async () => {
  const [start, sectors] = [2048, 6144];
  const path = join(folder, "ext4.img");
  const inner = join(folder, "ext4.part");
  writeFileSync(path, "");
  truncateSync(path, 5 * MIB);
  await sgdisk(`-n1:${start}:${start + sectors - 1}`, path);
  writeFileSync(inner, "");
  truncateSync(inner, sectors * 512);
  await run("mkfs.ext4", ["-q", "-d", join(import.meta.dirname, "../../scripts/arrows"), inner]);
  const disk = readFileSync(path);
  readFileSync(inner).copy(disk, start * 512);
  const newSize = 8 * MIB;
  const { steps } = await planGptRelocation(guestOf(disk), { oldSize: disk.length, newSize });
  let now = grown(disk, newSize);
  for (const step of steps) {
    now = patched(now, step.patches);
    writeFileSync(path, now);
    expect(await partitionsOf(path)).toMatchObject([{ start, size: sectors }]);
    writeFileSync(inner, now.subarray(start * 512, (start + sectors) * 512));
    await run("e2fsck", ["-fn", inner]);
  }
  await assertSound(path);
  wholeGpt(now);
});

describe.each([512, 4096] as const)(
  "libblkid, which believes the backup where the primary is gone, sectors of %d",
  (sectorSize) => {
    test("shows the same partitions by both", async () => {
      const partitions = [[40, 79], undefined, [80, 200]] as const;
      const disk = gptDisk({ sectorSize, sectors: 300, partitions });
      const path = join(folder, `blkid-${sectorSize}.img`);
      writeFileSync(path, disk);
      await relocate(path, disk.length + MIB);
      const shown = () => run("partx", ["-S", `${sectorSize}`, "-g", "-o", "NR,START,END", path]);
      const rows = (text: string) =>
        text
          .trim()
          .split("\n")
          .map((row) => row.trim().split(/\s+/).map(Number));
      const inSectors = (lba: number) => (lba * sectorSize) / 512;
      const expected = partitions.flatMap((each, index) =>
        each === undefined ? [] : [[index + 1, inSectors(each[0]), inSectors(each[1] + 1) - 1]],
      );
      expect(rows(await shown())).toEqual(expected);
      const moved = readFileSync(path);
      moved.fill(0, sectorSize, 2 * sectorSize);
      writeFileSync(path, moved);
      expect(rows(await shown())).toEqual(expected);
      writeFileSync(path, moved.subarray(0, moved.length - sectorSize));
      expect(await shown()).toBe("");
    });
  },
);

describe("a damaged primary, as the refusal tells of it", () => {
  const entry = 1024;
  test.each([
    ["the header", 512 + 48],
    ["an entry", entry + 60],
    ["the MBR's signature", 510],
  ])("%s: gdisk takes it from the backup before the disk grows, and nobody after that", async (name, at) => {
    const path = await made({ name: `damaged ${name}`, sizeMib: 4, make: ["-n1:2048:0"], sameAs: "sgdisk" });
    const whole = readFileSync(path);
    const bad = Buffer.from(whole);
    bad.writeUInt8((bad[at] as number) ^ 0xff, at);
    writeFileSync(path, bad);
    await expect(relocate(path, 6 * MIB)).rejects.toThrow("repair it before the disk grows (gdisk");
    spawnSync("strace", [...HURRIED, "gdisk", path], { input: "w\ny\n" });
    expect(readFileSync(path).equals(whole)).toBe(true);
    if (at !== 512 + 48) return;
    writeFileSync(path, grown(bad, 6 * MIB));
    await sgdisk("-e", path);
    expect(await partitionsOf(path)).toEqual([]);
  });
});
