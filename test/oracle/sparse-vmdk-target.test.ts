/** Sparse VMDKs of our making, from images of qemu-img's of every kind: as planned, and by qemu-img, libvmdk and 7-Zip the same guest, before and after a guest wrote all over. */

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert, plan } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { info } from "../../src/convert/reading/info.ts";
import { rollback } from "../../src/convert/recover.ts";
import { readByOthers } from "../formats/vmdk/other-readers.ts";
import { infoAsQemu, qemuInfo } from "../support/qemu-words.ts";
import { seededRandom } from "../support/random.ts";

const KiB = 1024;
const MiB = 1024 ** 2;
const askOthers = readByOthers(/^Monolithic sparse/);

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 2 ** 27,
    stdio: ["ignore", "pipe", "pipe"],
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-sparse-target-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** At both ends, over borders of clusters, in a lone sector, and a run that packs well. */
function writeGuest(size: number): void {
  const noise = Buffer.from(Array.from({ length: 90_000 }, (_, index) => (index * index * 31 + (index >> 3)) & 0xff));
  writeFileSync(at("guest.raw"), "");
  const file = openSync(at("guest.raw"), "r+");
  for (const [offset, bytes] of [
    [0, Buffer.from("first")],
    [MiB + 4096, noise],
    [2 * MiB - 512, Buffer.alloc(200 * KiB, "text ")],
    [size - 5 * 512, Buffer.alloc(700, 9)],
  ] as const)
    writeSync(file, bytes, 0, bytes.length, offset);
  truncateSync(at("guest.raw"), size);
}

/** To qemu-img what it is to us, the same guest, two directories that agree, and no word against it. */
async function expectSound(name: string): Promise<void> {
  expect(run("qemu-img", "check", "-f", "vmdk", name)).toContain("No errors");
  expect(run("qemu-img", "compare", "-f", "vmdk", "-F", "raw", name, "guest.raw")).toContain("Images are identical.");
  expect(infoAsQemu(await info(at(name)))).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at(name))));
  expect((await check(at(name))).findings).toEqual([]);
  await askOthers(at(name), at("guest.raw"));
}

function writeAllOver(name: string, size: number): void {
  const writes = ["write -P 3 0 70k", "write -P 4 700k 1M", "write -z 1800k 300k", "write -P 5 2500k 512"];
  const last = `write -P 6 ${size - 512} 512`;
  for (const [format, file] of [
    ["vmdk", name],
    ["raw", "guest.raw"],
  ] as const)
    run("qemu-io", "-t", "unsafe", "-f", format, ...[...writes, last].flatMap((each) => ["-c", each]), file);
}

/** Of the sources below, in `npm test`; ORACLE=all takes all of them. */
const SAMPLE = 6;
const SIZE = 4 * MiB + 1536;
const CASES: readonly (readonly [string, readonly string[], readonly string[], ConvertOptions])[] = [
  ["qcow2 512", ["qcow2", "cluster_size=512"], ["qcow2", "vmdk"], {}],
  ["qcow2 4k, version 2", ["qcow2", "cluster_size=4k,compat=0.10"], ["qcow2", "vmdk"], {}],
  ["qcow2 16k, subclusters", ["qcow2", "cluster_size=16k,extended_l2=on"], ["vmdk"], {}],
  ["qcow2 64k", ["qcow2"], ["vmdk"], { options: { adapter_type: "lsilogic" } }],
  ["qcow2 64k, compressed", ["-c", "qcow2"], ["vmdk"], {}],
  ["qcow2 4k, zstd", ["-c", "qcow2", "cluster_size=4k,compression_type=zstd"], ["qcow2", "vmdk"], {}],
  ["qcow2 2M", ["qcow2", "cluster_size=2M"], ["vmdk"], {}],
  ["QED 4k", ["qed", "cluster_size=4k"], ["qcow2", "vmdk"], {}],
  ["QED 64k", ["qed"], ["vmdk"], {}],
  ["raw", ["raw"], ["qcow2", "vmdk"], { format: "raw" }],
  ["VHD", ["vpc", "subformat=fixed,force_size=on"], ["raw", "qcow2", "vmdk"], {}],
  ["VDI", ["vdi"], ["qcow2", "vmdk"], {}],
  ["Parallels", ["parallels"], ["vmdk"], {}],
  ["stream", ["vmdk", "subformat=streamOptimized"], ["qcow2", "vmdk"], { options: { subformat: "monolithicSparse" } }],
  ["VMDK", ["vmdk"], ["qcow2", "vmdk"], { options: { adapter_type: "buslogic" } }],
];

const { ORACLE = String(SAMPLE), ORACLE_SEED = "1" } = process.env;
const chosen =
  ORACLE === "all"
    ? CASES
    : seededRandom(Number(ORACLE_SEED))
        .shuffle([...CASES])
        .slice(0, SAMPLE);

test.each(chosen)("from %s", async (_name, made, steps, options) => {
  const compressed = made[0] === "-c";
  const [format, settings] = made.slice(compressed ? 1 : 0) as [string, string | undefined];
  writeGuest(SIZE);
  const words = [...(compressed ? ["-c"] : []), ...(settings ? ["-o", settings] : [])];
  run("qemu-img", "convert", "-f", "raw", "-O", format, ...words, "guest.raw", "disk.img");
  const { report: planned } = await plan(at("disk.img"), "vmdk", options);
  const report = await convert(at("disk.img"), "vmdk", options);
  expect(report.path.map((step) => ("to" in step ? step.to : ""))).toEqual(steps);
  expect(report.path).toEqual(planned.path);
  // What a VHD is planned to is its first step alone.
  if (format !== "vpc") {
    const { bytesMoved, clusterSize, peakExtraBytes, fileSizeAfter } = planned;
    const isPlain = format !== "raw";
    if (isPlain) expect(report).toMatchObject({ bytesMoved, clusterSize, peakExtraBytes, fileSizeAfter });
    // Zeros that a raw disk stores are found when it is read.
    expect(report.fileSizeAfter).toBeLessThanOrEqual(fileSizeAfter);
    expect(report.bytesWritten).toBeLessThanOrEqual(planned.bytesWritten);
  }
  expect(report.clusterSize).toBe(format === "qcow2" && settings?.startsWith("cluster_size=16k") ? 16 * KiB : 64 * KiB);
  await expectSound("disk.img");
  writeAllOver("disk.img", SIZE);
  await expectSound("disk.img");
});

test("from raw of an odd length, its last sector filled up with zeros", async () => {
  writeGuest(SIZE - 300);
  execFileSync("cp", ["guest.raw", "disk.img"], { cwd: folder });
  await convert(at("disk.img"), "vmdk", { format: "raw" });
  truncateSync(at("guest.raw"), SIZE);
  await expectSound("disk.img");
});

test("from a flat one and back, the descriptor gone with it", async () => {
  writeGuest(SIZE);
  run("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=monolithicFlat", "guest.raw", "disk.vmdk");
  const options = { subformat: "monolithicSparse" };
  const { path, imageAfter } = await convert(at("disk.vmdk"), "vmdk", { options });
  expect(path.map((step) => ("to" in step ? step.to : ""))).toEqual(["raw", "qcow2", "vmdk"]);
  expect(imageAfter).toBe(at("disk-flat.vmdk"));
  expect(existsSync(at("disk.vmdk"))).toBe(false);
  await expectSound("disk-flat.vmdk");
  await convert(at("disk-flat.vmdk"), "vmdk", { options: { subformat: "monolithicFlat" } });
  expect(run("qemu-img", "compare", "disk.vmdk", "guest.raw")).toContain("Images are identical.");
});

test("as it is asked for already nothing is done, and the same guest gives the same file", async () => {
  writeGuest(SIZE);
  const made = (name: string) => run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "guest.raw", name);
  for (const name of ["a.img", "b.img"]) {
    made(name);
    execFileSync("mv", [name, "disk.img"], { cwd: folder });
    await convert(at("disk.img"), "vmdk", { reproducible: true });
    const { changed } = await convert(at("disk.img"), "vmdk", { options: { subformat: "monolithicSparse" } });
    expect(changed).toBe(false);
    execFileSync("mv", ["disk.img", name], { cwd: folder });
  }
  expect(readFileSync(at("a.img")).equals(readFileSync(at("b.img")))).toBe(true);
});

test("over a kept undo of one step every byte comes back, until a guest wrote", async () => {
  writeGuest(SIZE);
  run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "guest.raw", "disk.img");
  const before = readFileSync(at("disk.img"));
  await convert(at("disk.img"), "vmdk", { keepUndo: true });
  await rollback(at("disk.img"));
  expect(readFileSync(at("disk.img")).equals(before)).toBe(true);
  await convert(at("disk.img"), "vmdk", { keepUndo: true });
  run("qemu-io", "-f", "vmdk", "-c", "write -P 9 3M 64k", "disk.img");
  const used = readFileSync(at("disk.img"));
  await expect(rollback(at("disk.img"))).rejects.toMatchObject({ kind: "changed-underneath" });
  expect(readFileSync(at("disk.img")).equals(used)).toBe(true);
});
