/** Autoclear bits after our repairs, by qemu-img: nothing to find, nothing that it would still clear, bitmaps as they must be. */

import { execFileSync, spawnSync } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { setmap } from "../../src/convert/setmap.ts";

const folder = await mkdtemp(join(tmpdir(), "inplace-autoclear-"));
afterAll(() => rm(folder, { recursive: true }));

const AUTOCLEAR = 88;
const BITMAPS = 1n;
const UNKNOWN = 1n << 5n;
const CLUSTER = 65_536;

const run = (tool: string, ...words: string[]) => execFileSync(tool, words, { encoding: "utf8", stdio: "pipe" });
const qemuCheck = (path: string) => spawnSync("qemu-img", ["check", "-f", "qcow2", path], { encoding: "utf8" });

interface Made {
  readonly path: string;
  readonly bytes: Buffer;
  /** Of the one L2 table's entry for guest offset 0. */
  readonly entry: number;
}

/** Two clusters of data, a bitmap if asked for, bit 5, and a cluster at the end that is counted and that nobody uses. */
async function made(name: string, hasBitmap: boolean): Promise<Made> {
  const path = join(folder, name);
  run("qemu-img", "create", "-q", "-f", "qcow2", path, "8M");
  if (hasBitmap) run("qemu-img", "bitmap", "--add", path, "one");
  run("qemu-io", "-f", "qcow2", "-c", "write -P 1 0 128k", path);
  const clean = await readFile(path);
  const bytes = Buffer.alloc(Math.ceil(clean.length / CLUSTER) * CLUSTER + CLUSTER);
  clean.copy(bytes);
  bytes.writeBigUInt64BE(bytes.readBigUInt64BE(AUTOCLEAR) | UNKNOWN, AUTOCLEAR);
  const block = Number(bytes.readBigUInt64BE(Number(bytes.readBigUInt64BE(48))));
  bytes.writeUInt16BE(1, block + 2 * (bytes.length / CLUSTER - 1));
  const l1 = Number(bytes.readBigUInt64BE(40));
  await writeFile(path, bytes);
  return { path, bytes, entry: Number(bytes.readBigUInt64BE(l1) & 0x00ff_ffff_ffff_fe00n) };
}

const bitsOf = async (path: string) => (await readFile(path)).readBigUInt64BE(AUTOCLEAR);

test.each([
  ["leaks", false],
  ["all", false],
  ["leaks", true],
  ["all", true],
] as const)("check -r %s, with a bitmap: %s", async (repair, hasBitmap) => {
  const { path } = await made(`repaired-${repair}-${hasBitmap}`, hasBitmap);
  await copyFile(path, `${path}-copy`);
  expect(qemuCheck(path).status).toBe(3);
  expect(await check(path, { repair })).toMatchObject({ changed: true, leaksFixed: 1, verdict: "clean" });
  expect(qemuCheck(path)).toMatchObject({ status: 0, stderr: "" });
  expect(await bitsOf(path)).toBe(hasBitmap ? BITMAPS : 0n);
  // qemu-img's own repair leaves the same bits.
  run("qemu-img", "check", "-q", "-r", repair, "-f", "qcow2", `${path}-copy`);
  expect(await bitsOf(`${path}-copy`)).toBe(await bitsOf(path));
});

test("an image without anything to repair keeps its bit", async () => {
  const { path } = await made("sound", false);
  await check(path, { repair: "leaks" });
  const sound = await readFile(path);
  sound.writeBigUInt64BE(UNKNOWN, AUTOCLEAR);
  await writeFile(path, sound);
  expect(await check(path, { repair: "all" })).toMatchObject({ changed: false, verdict: "clean" });
  expect(Buffer.compare(await readFile(path), sound)).toBe(0);
});

test("setmap", async () => {
  const { path, bytes } = await made("setmap", false);
  await setmap(path, 4 * CLUSTER, bytes.length - CLUSTER, CLUSTER);
  expect(await bitsOf(path)).toBe(0n);
  expect(qemuCheck(path)).toMatchObject({ status: 0, stderr: "" });
  run("qemu-io", "-f", "qcow2", "-c", "read -P 0 256k 64k", "-c", "read -P 1 0 128k", path);
});

test("where guest data was given up QEMU takes the bitmap for what it is: not to be trusted", async () => {
  const { path, bytes, entry } = await made("given-up", true);
  bytes.writeBigUInt64BE(bytes.readBigUInt64BE(entry) + 512n, entry);
  await writeFile(path, bytes);
  const flags = () =>
    JSON.parse(run("qemu-img", "info", "--output=json", path))["format-specific"].data.bitmaps[0].flags as string[];
  expect(flags()).not.toContain("in-use");
  const report = await check(path, { repair: "all", allowDataLoss: true });
  expect(report).toMatchObject({ changed: true, verdict: "clean" });
  expect(flags()).toContain("in-use");
  expect(await bitsOf(path)).toBe(BITMAPS);
  expect(qemuCheck(path)).toMatchObject({ status: 0, stderr: "" });
});
