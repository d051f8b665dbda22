/** Disks by sgdisk with an ext4 inside, converted with gpt=relocate: judged by sgdisk, e2fsck and qemu-img, and led back. */

import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convert, plan } from "../../src/convert/convert.ts";
import { rollback } from "../../src/convert/recover.ts";
import { assertSame, info, run } from "../support/qemu-tools.ts";

const MIB = 1 << 20;
/** No whole MiB. */
const SIZE = 11 * MIB + 37 * 512;
const PARTITION = { start: 2048 * 512, size: 8 * MIB };

let folder: string;
const at = (name: string) => join(folder, name);

const SLOW = "sync,fsync,clock_nanosleep";
/** Without the sync of the whole machine and the second that sgdisk waits for devices to come up. */
function sgdisk(...words: string[]): Promise<string> {
  const hurried = ["-qq", "-o", "/dev/null", "-e", `trace=${SLOW}`, "-e", `inject=${SLOW}:retval=0`];
  return run("strace", [...hurried, "sgdisk", ...words]);
}

/** By its definition: SHA-256 over those of 64 KiB blocks, then the length. */
function blkhash(bytes: Buffer): string {
  const outer = createHash("sha256");
  for (let from = 0; from < bytes.length; from += 65_536)
    outer.update(
      createHash("sha256")
        .update(bytes.subarray(from, from + 65_536))
        .digest(),
    );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return outer.update(length).digest("hex");
}

/** The disk as sgdisk makes it of the same one grown. */
async function bySgdisk(newSize: number): Promise<Buffer> {
  copyFileSync(at("disk.raw"), at("expected.raw"));
  truncateSync(at("expected.raw"), newSize);
  await sgdisk("-e", at("expected.raw"));
  return readFileSync(at("expected.raw"));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gpt-relocation-"));
  writeFileSync(at("disk.raw"), "");
  truncateSync(at("disk.raw"), SIZE);
  await sgdisk("-o", "-U", "11111111-2222-3333-4444-555555555555", "-n1:2048:18431", at("disk.raw"));
  const words = ["-q", "-F", "-E", `offset=${PARTITION.start}`, "-O", "^has_journal", at("disk.raw"), "8192k"];
  await run("mkfs.ext4", words);
  await run("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", at("disk.raw"), at("disk.qcow2")]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  { from: "raw", to: "raw", options: { align: "1M", gpt: "relocate" }, newSize: 12 * MIB },
  { from: "raw", to: "raw", options: { align: "64M", gpt: "relocate" }, newSize: 64 * MIB },
  { from: "raw", to: "vpc", options: { subformat: "fixed", gpt: "relocate" }, newSize: 12 * MIB },
  // By less than the backup takes.
  { from: "raw", to: "vpc", options: { subformat: "fixed", gpt: "relocate", align: "4k" }, newSize: SIZE + 3 * 512 },
  { from: "qcow2", to: "vpc", options: { subformat: "fixed", gpt: "relocate" }, newSize: 12 * MIB },
  { from: "qcow2", to: "raw", options: { align: "5M", gpt: "relocate" }, newSize: 15 * MIB },
])("$from to $to, $options", ({ from, to, options, newSize }) => {
  test("is as sgdisk makes it, sound, as planned, and comes back", async () => {
    const source = at(`disk.${from}`);
    const path = at(`image-${from}-${to}`);
    copyFileSync(source, path);
    const { report: planned } = await plan(path, to, { format: from, options });
    const report = await convert(path, to, { format: from, options, keepUndo: true });
    expect(report.guestChanges).toEqual(planned.guestChanges);
    expect(report.fileSizeAfter).toBe(planned.fileSizeAfter);
    expect(report.virtualSize).toBe(newSize);
    expect((await info(path, to))["virtual-size"]).toBe(newSize);
    await run("qemu-img", ["convert", "-f", to, "-O", "raw", path, at("found.raw")]);
    await assertSame(path, to, at("found.raw"));
    expect(await sgdisk("-v", at("found.raw"))).toContain("No problems found");
    const found = readFileSync(at("found.raw"));
    const before = readFileSync(at("disk.raw"));
    const expected = await bySgdisk(newSize);
    expect(found.equals(expected)).toBe(true);
    expect(report.guestChecksum).toMatchObject({ before: blkhash(before), after: blkhash(expected) });
    writeFileSync(at("part.ext4"), found.subarray(PARTITION.start, PARTITION.start + PARTITION.size));
    await run("e2fsck", ["-fn", at("part.ext4")]);
    await rollback(path);
    if (from === "raw") expect(readFileSync(path).equals(before)).toBe(true);
    else await assertSame(path, from, at("disk.raw"));
  });
});
