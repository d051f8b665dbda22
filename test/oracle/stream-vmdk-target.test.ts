/** Streams of our making, from images of qemu-img's of every kind: the same guest by qemu-img, libvmdk, 7-Zip and from front to end, no longer than qemu-img's. */

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert, plan } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { info } from "../../src/convert/reading/info.ts";
import { readByOthers } from "../formats/vmdk/other-readers.ts";
import { readStreamInOrder } from "../formats/vmdk/sparse/stream-reader.ts";
import { infoAsQemu, qemuInfo } from "../support/qemu-words.ts";
import { seededRandom } from "../support/random.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const STREAM = { subformat: "streamOptimized" };
const CLUSTER = 64 * KiB;
const COUNT = 200;
const SIZE = COUNT * CLUSTER - 1536;
const askOthers = readByOthers(/^Stream optimized/);

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-stream-target-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What packs well, badly and not at all, and holes. */
function writeGuest(): Buffer {
  const random = seededRandom(11);
  const disk = Buffer.alloc(COUNT * CLUSTER);
  for (let cluster = 0; cluster < COUNT; cluster++) {
    const kind = random.below(10);
    if (kind < 2) continue;
    const noise = kind < 6 ? CLUSTER : kind < 8 ? CLUSTER / 4 : 64;
    for (let byte = 0; byte < CLUSTER; byte += 4)
      disk.writeUInt32LE(byte < noise ? random.below(2 ** 32) : 0x20202020, cluster * CLUSTER + byte);
  }
  const guest = disk.subarray(0, SIZE);
  writeFileSync(at("guest.raw"), guest);
  return guest;
}

async function expectSound(name: string, guest: Uint8Array): Promise<void> {
  expect(run("qemu-img", "check", "-f", "vmdk", name)).toContain("No errors");
  expect(run("qemu-img", "compare", "-f", "vmdk", "-F", "raw", name, "guest.raw")).toContain("Images are identical.");
  expect(infoAsQemu(await info(at(name)))).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at(name))));
  expect((await check(at(name))).findings).toEqual([]);
  const read = readStreamInOrder(readFileSync(at(name)));
  expect(Buffer.compare(read.guest, guest)).toBe(0);
  // A table, the directory, the footer.
  expect(read.markers).toEqual(read.grainCount === 0 ? [2, 3] : [1, 2, 3]);
  await askOthers(at(name), at("guest.raw"));
}

/** Clusters one by one in an order by chance, as a guest would write them. */
function writeInNoOrder(name: string, guest: Buffer): void {
  run("qemu-img", "create", "-q", "-f", "qcow2", name, String(SIZE));
  const order = seededRandom(5).shuffle(Array.from({ length: COUNT }, (_, cluster) => cluster));
  const words = order.flatMap((cluster) => {
    const part = guest.subarray(cluster * CLUSTER, (cluster + 1) * CLUSTER);
    if (part.every((byte) => byte === 0)) return [];
    writeFileSync(at(`part-${cluster}`), part);
    return ["-c", `write -s part-${cluster} ${cluster * CLUSTER} ${part.length}`];
  });
  run("qemu-io", "-t", "unsafe", "-f", "qcow2", ...words, name);
}

const made =
  (format: string, ...words: string[]) =>
  () => {
    run("qemu-img", "convert", "-f", "raw", "-O", format, ...words, "guest.raw", "disk.img");
  };
const CASES: readonly (readonly [string, (guest: Buffer) => void, ConvertOptions])[] = [
  ["raw", made("raw"), { format: "raw" }],
  ["raw, in next to no space", made("raw"), { format: "raw", maxExtraSpace: 512 * KiB }],
  ["qcow2", made("qcow2"), {}],
  ["qcow2 in no order", (guest) => writeInNoOrder("disk.img", guest), {}],
  ["qcow2 in no order and next to no space", (guest) => writeInNoOrder("disk.img", guest), { maxExtraSpace: MiB }],
  ["qcow2, compressed", made("qcow2", "-c"), {}],
  ["qcow2 4k, compressed by zstd", made("qcow2", "-c", "-o", "cluster_size=4k,compression_type=zstd"), {}],
  ["QED 4k", made("qed", "-o", "cluster_size=4k"), {}],
  ["VHD", made("vpc", "-o", "subformat=fixed,force_size=on"), {}],
  ["VDI", made("vdi"), {}],
  ["VHDX", made("vhdx"), {}],
  ["VMDK", made("vmdk"), { options: { ...STREAM, adapter_type: "lsilogic" } }],
  ["flat VMDK", made("vmdk", "-o", "subformat=monolithicFlat"), {}],
];

const SAMPLE = 4;
const { ORACLE = String(SAMPLE), ORACLE_SEED = "2" } = process.env;
const chosen =
  ORACLE === "all"
    ? CASES
    : seededRandom(Number(ORACLE_SEED))
        .shuffle([...CASES])
        .slice(0, SAMPLE);

test.each(chosen)("from %s", { timeout: 60_000 }, async (_name, make, options) => {
  const guest = writeGuest();
  make(guest);
  const asked = { options: STREAM, ...options };
  const { report: planned } = await plan(at("disk.img"), "vmdk", asked);
  const report = await convert(at("disk.img"), "vmdk", asked);
  expect(report.path).toEqual(planned.path);
  expect(report.path.at(-2)).toEqual({ step: "rearrange", goal: "pack" });
  expect(report.fileSizeAfter).toBeLessThanOrEqual(planned.fileSizeAfter);
  const name = report.imageAfter === at("disk-flat.vmdk") ? "disk-flat.vmdk" : "disk.img";
  const image = report.imageAfter?.endsWith("-flat.img") ? "disk-flat.img" : name;
  if (image !== "disk.img") renameSync(at(image), at("disk.img"));
  await expectSound("disk.img", guest);
  run("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", "guest.raw", "theirs.vmdk");
  expect(statSync(at("disk.img")).size).toBeLessThanOrEqual(1.02 * statSync(at("theirs.vmdk")).size);
});

test("of an empty disk", async () => {
  writeFileSync(at("guest.raw"), "");
  truncateSync(at("guest.raw"), 40 * MiB);
  cpSync(at("guest.raw"), at("disk.img"));
  await convert(at("disk.img"), "vmdk", { format: "raw", options: STREAM });
  await expectSound("disk.img", readFileSync(at("guest.raw")));
});

test("as it is asked for already nothing is done, the same guest gives the same file, and back it is qcow2", async () => {
  writeGuest();
  for (const name of ["a.img", "b.img"]) {
    made("qcow2")();
    await convert(at("disk.img"), "vmdk", { options: STREAM, reproducible: true });
    expect((await convert(at("disk.img"), "vmdk", { options: STREAM })).changed).toBe(false);
    renameSync(at("disk.img"), at(name));
  }
  expect(readFileSync(at("a.img")).equals(readFileSync(at("b.img")))).toBe(true);
  const { bytesMoved } = await convert(at("a.img"), "qcow2");
  expect(bytesMoved).toBe(0);
  expect(run("qemu-img", "compare", "a.img", "guest.raw")).toContain("Images are identical.");
});

test("-c asks for what it is, and of other kinds for what they are not", async () => {
  writeGuest();
  made("qcow2")();
  await expect(convert(at("disk.img"), "vmdk", { compress: true })).rejects.toThrow(/streamOptimized alone/);
  const { path } = await convert(at("disk.img"), "vmdk", { compress: true, options: STREAM });
  expect(path).toHaveLength(3);
});
