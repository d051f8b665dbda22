/** Sparse VMDKs and streams of qemu-img's making and of our builder's: info, map, check and guest as qemu-img, libvmdk and 7-Zip have them; converted in place. */

import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert } from "../../src/convert/convert.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map, mapText } from "../../src/convert/reading/map.ts";
import { buildSparse, type SparseDescription } from "../formats/vmdk/sparse/builder.ts";
import { infoAsQemu, infoTextAsQemu, qemuInfo, qemuInfoText } from "../support/qemu-words.ts";

const KiB = 1024;
const MiB = 1024 ** 2;

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 27 });
const image = (name: string) => readFileSync(at(name));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-sparse-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Data at both ends, bytes without a pattern, and a run that packs well. */
function writeGuest(size: number): void {
  writeFileSync(at("guest.raw"), "");
  truncateSync(at("guest.raw"), size);
  const noise = Buffer.from(Array.from({ length: 90_000 }, (_, index) => (index * index * 31 + (index >> 3)) & 0xff));
  const writes: readonly [number, Buffer][] = [
    [0, Buffer.from("first")],
    [MiB + 4096, noise],
    [2 * MiB - 512, Buffer.alloc(200 * KiB, "text ")],
    [size - 700, Buffer.alloc(700, 9)],
  ];
  const file = image("guest.raw");
  for (const [offset, bytes] of writes) bytes.copy(file, offset);
  writeFileSync(at("guest.raw"), file);
}

function madeByQemu(size: number, subformat: string, ...options: readonly string[]): void {
  writeGuest(size);
  const words = [`subformat=${subformat}`, ...options].join(",");
  run("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", words, "guest.raw", "disk.vmdk");
}

/** Of a guest whose bytes are in `guest.raw`. */
async function expectReadAlike(isStream: boolean): Promise<void> {
  const found = await info(at("disk.vmdk"));
  expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at("disk.vmdk"))));
  expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", at("disk.vmdk"))));
  const checked = await check(at("disk.vmdk"));
  expect(checked.exitCode).toBe(0);
  expect(checked.text).toBe(run("qemu-img", "check", at("disk.vmdk")));
  expect(checked.json).toMatchObject(JSON.parse(run("qemu-img", "check", "--output=json", at("disk.vmdk"))));
  const ours = await map(at("disk.vmdk"));
  if (!isStream) expect(`${mapText(ours)}\n`).toBe(run("qemu-img", "map", at("disk.vmdk")));
  const theirs = JSON.parse(run("qemu-img", "map", "--output=json", at("disk.vmdk"))) as object[];
  expect(ours.entries.map(({ compressed: _, ...entry }) => entry)).toEqual(theirs);
  expect(await compare(at("disk.vmdk"), at("guest.raw"), { formatB: "raw" })).toMatchObject({ identical: true });
  expect((await checksum(at("disk.vmdk"), { algorithm: "sha256" })).checksum).toBe(
    run("sha256sum", "guest.raw").split(" ")[0],
  );
  const said = run("vmdkinfo", "disk.vmdk");
  expect(said).toMatch(isStream ? /Disk type:\s*Stream optimized/ : /Disk type:\s*Monolithic sparse/);
  expect(said).toMatch(new RegExp(`Media size:.*\\b${image("guest.raw").length}\\b`));
}

/** Converted on copies, each the same guest to qemu-img. */
async function expectConverted(targets: readonly string[]): Promise<Record<string, number>> {
  const moved: Record<string, number> = {};
  for (const target of targets) {
    copyFileSync(at("disk.vmdk"), at(`copy.${target}`));
    const report = await convert(at(`copy.${target}`), target);
    moved[target] = report.bytesMoved;
    if (target !== "raw") expect(run("qemu-img", "check", "-f", target, `copy.${target}`)).toContain("No errors");
    const said = run("qemu-img", "compare", "-f", target, "-F", "raw", `copy.${target}`, "guest.raw");
    expect(said).toContain("Images are identical.");
  }
  return moved;
}

describe("of qemu-img's making", () => {
  test.each([
    [4 * MiB + 1536, ["adapter_type=lsilogic"], ["qcow2", "qed", "raw"]],
    [4 * MiB, ["zeroed_grain=on"], ["qcow2"]],
    [4 * MiB, ["compat6=on"], ["qcow2"]],
  ])("monolithicSparse of %d bytes, %j: read alike, converted with nothing moved", async (size, options, targets) => {
    madeByQemu(size, "monolithicSparse", ...options);
    run("qemu-io", "-f", "vmdk", "-c", "write -z 2M 200k", "-c", "write -P 7 3M 70k", "disk.vmdk");
    run("qemu-img", "convert", "-f", "vmdk", "-O", "raw", "disk.vmdk", "guest.raw");
    await expectReadAlike(false);
    expect(spawnSync("7zz", ["e", "-so", "-tvmdk", "disk.vmdk"], { cwd: folder, maxBuffer: 2 ** 27 }).stdout).toEqual(
      image("guest.raw"),
    );
    const moved = await expectConverted(targets);
    expect([moved.qcow2, moved.qed ?? 0]).toEqual([0, 0]);
  });

  test.each([
    [4 * MiB, 0],
    [3 * MiB + 1536, 64 * KiB],
  ])("streamOptimized of %d bytes: read alike, its streams stay where they lie, %d bytes move", async (size, moved) => {
    madeByQemu(size, "streamOptimized");
    await expectReadAlike(true);
    expect((await expectConverted(["qcow2", "qed"])).qcow2).toBe(moved);
    const entries = (await map(at("copy.qcow2"))).entries.filter(({ data }) => data);
    expect(entries.filter(({ compressed }) => !compressed).length).toBe(moved === 0 ? 0 : 1);
    // A guest that writes all over finds a sound image.
    const writes = ["write -P 3 0 1M", "write -P 4 1500k 1M", "discard 0 256k"];
    run("qemu-io", "-f", "qcow2", ...writes.flatMap((each) => ["-c", each]), "copy.qcow2");
    expect(run("qemu-img", "check", "copy.qcow2")).toContain("No errors");
  });

  test("a grain outside the file: the same line, the same exit code", async () => {
    madeByQemu(4 * MiB, "monolithicSparse");
    const bytes = image("disk.vmdk");
    const directory = Number(bytes.readBigUInt64LE(56)) * 512;
    bytes.writeUInt32LE(900_000, bytes.readUInt32LE(directory) * 512);
    writeFileSync(at("disk.vmdk"), bytes);
    const theirs = spawnSync("qemu-img", ["check", "disk.vmdk"], { cwd: folder, encoding: "utf8" });
    const ours = await check(at("disk.vmdk"));
    expect(ours.exitCode).toBe(theirs.status);
    expect(theirs.stderr.split("\n")[0]).toBe(ours.findings[0]?.line);
  });
});

describe("of our builder's making, which qemu-img and libvmdk read as well", () => {
  const LARGE: SparseDescription = { virtualSize: 40 * 64 * KiB, data: [0, 1, 5, 9, 17, 39], grainSize: 64 * KiB };
  test.each<[string, Partial<SparseDescription>]>([
    ["a footer", { isStream: true }],
    ["no footer", { isStream: true, hasFooter: false }],
    [
      "a footer, a short tail, in disorder",
      { isStream: true, hasShortTail: true, seed: 3, virtualSize: 40 * 64 * KiB - 1536 },
    ],
    ["streams longer than their grains", { isStream: true, level: 0 }],
    ["zeros, version 2", { isStream: true, zero: [3, 20], version: 2 }],
    ["version 1", { isStream: true, version: 1, entryCount: 8 }],
    ["as they lie, redundant", { isRedundant: true, zero: [3] }],
    ["as they lie, at odd sectors", { phase: 5, seed: 2, tables: "last" }],
  ])("%s", async (_name, description) => {
    const { bytes, guest } = buildSparse({ ...LARGE, ...description });
    writeFileSync(at("disk.vmdk"), bytes);
    writeFileSync(at("guest.raw"), guest);
    await expectReadAlike(description.isStream ?? false);
    await expectConverted(["qcow2"]);
  });
});
