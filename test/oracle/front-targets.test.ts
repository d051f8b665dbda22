/**
 * VHDX, Parallels, VDI and qcow as targets, with units as asked for, by qemu-img and by 7-Zip, which shares no code with it: info, check and the same guest
 * after the conversion, after a guest wrote all over the new image, and by way of a resume and a rollback.
 */

import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert } from "../../src/convert/convert.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { rollback } from "../../src/convert/recover.ts";
import { assertClean, assertSame, blkhashOf, fileDigest, info, qemuIo, run } from "../support/qemu-tools.ts";
import { seededRandom } from "../support/random.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
/** 7-Zip reads what ends at a whole MiB. */
const SIZE = 9 * MiB;
const ODD_SIZE = SIZE - 1024;

interface TargetFacts {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  /** How 7-Zip calls it; absent where it knows none. */
  readonly sevenZip?: string;
  /** What qemu-img tells of its units; absent where it tells nothing. */
  readonly unit?: number;
}

const TARGETS: readonly TargetFacts[] = [
  { name: "vhdx", options: {}, sevenZip: "vhdx", unit: MiB },
  { name: "vhdx", options: { block_size: "2M" }, sevenZip: "vhdx", unit: 2 * MiB },
  { name: "vhdx", options: { block_size: "8M" }, unit: 8 * MiB },
  { name: "parallels", options: {} },
  { name: "parallels", options: { cluster_size: "64k" } },
  { name: "parallels", options: { cluster_size: "2M" } },
  { name: "vdi", options: {}, sevenZip: "vdi", unit: MiB },
  { name: "qcow", options: { cluster_size: "4k" }, sevenZip: "qcow", unit: 4 * KiB },
  { name: "qcow", options: { cluster_size: "64k" }, unit: 64 * KiB },
];

/** In this order they are written, each a run of clusters of 64 KiB: where a source makes its places as it is written to. */
const RUNS: readonly (readonly [first: number, count: number])[] = [
  [130, 14],
  [64, 16],
  [0, 3],
  [16, 32],
  [110, 2],
  [80, 20],
];

const SOURCES: Readonly<Record<string, { readonly format: string; readonly size: number; readonly make: string[] }>> = {
  "raw with holes": { format: "raw", size: SIZE, make: [] },
  "raw of an odd size": { format: "raw", size: ODD_SIZE, make: [] },
  "qcow2 in disorder": { format: "qcow2", size: SIZE, make: [] },
  "qcow2 of an odd size, in large clusters": { format: "qcow2", size: ODD_SIZE, make: ["-o", "cluster_size=1M"] },
  QED: { format: "qed", size: SIZE, make: [] },
};

let folder = "";
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-front-"));
  for (const [name, { format, size, make }] of Object.entries(SOURCES)) {
    await run("qemu-img", ["create", "-q", "-f", format, ...make, at(name), String(size)]);
    await run("qemu-img", ["create", "-q", "-f", "raw", at(`${name}.raw`), String(size)]);
    const writes = RUNS.map(([first, count], index) => {
      const start = first * 64 * KiB;
      return `write -P ${index + 1} ${start} ${Math.min(count * 64 * KiB, size - start)}`;
    });
    await qemuIo(at(name), format, writes);
    await qemuIo(at(`${name}.raw`), "raw", writes);
  }
});
afterAll(() => rm(folder, { recursive: true }));

/** Each target from one of them. */
const cells = TARGETS.map((target, index) => ({ ...target, source: Object.keys(SOURCES)[index % 5] as string }));
/** One of each format. */
const formats = TARGETS.filter(({ name }, index) => TARGETS.findIndex((target) => target.name === name) === index);

describe.concurrent("qemu-img and 7-Zip agree", () => {
  test.each(cells)("$source to $name, $options", async ({ source, name, options, sevenZip, unit }) => {
    const { format, size } = SOURCES[source] as (typeof SOURCES)[string];
    const title = `${source} ${name} ${Object.values(options)}`;
    const [image, raw] = [at(title), at(`${title}.raw`)];
    await run("cp", ["--sparse=always", at(source), image]);
    await copyFile(at(`${source}.raw`), raw);
    const report = await convert(image, name, { format, options });
    await judge(image, name, raw, size);
    expect((await stat(image)).size).toBe(report.fileSizeAfter);
    if (unit !== undefined) expect((await info(image))["cluster-size"]).toBe(unit);
    if (sevenZip && size % MiB === 0) {
      const { stdout } = await promisify(execFile)("7zz", ["e", "-so", `-t${sevenZip}`, image], {
        encoding: "buffer",
        maxBuffer: 2 ** 27,
      });
      expect(Buffer.compare(stdout, await readFile(raw))).toBe(0);
    }
    const writes = writesAllOver(size);
    await qemuIo(image, name, writes);
    await qemuIo(raw, "raw", writes);
    await judge(image, name, raw, size);
    await convert(image, "qcow2", {});
    await judge(image, "qcow2", raw, size);
  });
});

test.each(formats)("the way back from $name, $options", async ({ name, options }) => {
  const source = "qcow2 in disorder";
  const image = at(`back ${name} ${Object.values(options)}`);
  await copyFile(at(source), image);
  await convert(image, name, { options, keepUndo: true });
  await assertSame(image, name, at(`${source}.raw`));
  await rollback(image);
  await assertSame(image, "qcow2", at(`${source}.raw`));
  await assertClean(image, "qcow2");
});

test.each(formats)("equal guests make equal files: $name, $options", async ({ name, options }) => {
  const digests = [];
  for (const turn of [1, 2]) {
    const image = at(`same ${turn}`);
    await copyFile(at("QED"), image);
    await convert(image, name, { options, reproducible: true });
    digests.push(await fileDigest(image));
    await rm(image);
  }
  expect(digests[0]).toBe(digests[1]);
});

async function judge(image: string, format: string, raw: string, size: number): Promise<void> {
  await assertClean(image, format);
  await assertSame(image, format, raw);
  const found = await info(image);
  expect([found.format, found["virtual-size"]]).toEqual([format, size]);
  const { corruptions, leaks, checkErrors, warnings } = await check(image);
  expect({ corruptions, leaks, checkErrors, warnings }).toEqual({
    corruptions: 0,
    leaks: 0,
    checkErrors: 0,
    warnings: 0,
  });
  expect((await checksum(image)).checksum).toBe(await blkhashOf(raw));
}

function writesAllOver(size: number): string[] {
  const random = seededRandom(size);
  return Array.from({ length: 24 }, (_, turn) => {
    const start = 512 * random.below(size / 512);
    const length = Math.min(512 * (1 + random.below(900)), size - start);
    return `write ${turn % 6 === 5 ? "-z" : `-P ${turn + 30}`} ${start} ${length}`;
  });
}
