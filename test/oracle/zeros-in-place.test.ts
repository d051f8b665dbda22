/** `-S` on images whose snapshots and bitmaps stay: clusters of zeros given up where the image stands, judged by qemu-img. */

import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compact, convert } from "../../src/index.ts";
import { assertClean, assertSame, qemuIo, run } from "../support/qemu-tools.ts";

const KiB = 1024;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-zeros-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Made {
  readonly path: string;
  readonly active: string;
  readonly snapshot: string;
}

/** Zeros of the active disk alone, of the snapshot alone, of both in tables apart and in one, between data. */
async function make(name: string, options: string, unit: number): Promise<Made> {
  const path = join(folder, `${name}.qcow2`);
  const [active, snapshot] = [join(folder, `${name}.raw`), join(folder, `${name}-one.raw`)];
  // The last cluster is not a whole one.
  await run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", options, path, String(900 * unit + 1024)]);
  const zeros = [
    [3, 2],
    [20, 40],
    [600, 8],
    [890, 10],
  ].map(([at = 0, count = 0]) => `write -P 0 ${at * unit} ${count * unit}`);
  await qemuIo(path, "qcow2", [`write -P 5 0 ${64 * unit}`, `write -P 6 ${590 * unit} ${30 * unit}`, ...zeros]);
  await qemuIo(path, "qcow2", [`write -P 0 ${900 * unit} 1024`]);
  await run("qemu-img", ["snapshot", "-c", "one", path]);
  const later = [
    `write -P 0 ${8 * unit} ${4 * unit}`,
    `write -P 9 ${22 * unit} ${2 * unit}`,
    `write -P 7 ${300 * unit} ${unit}`,
  ];
  await qemuIo(path, "qcow2", later);
  await run("qemu-img", ["convert", "-O", "raw", path, active]);
  await run("qemu-img", ["convert", "-O", "raw", "-l", "snapshot.name=one", path, snapshot]);
  return { path, active, snapshot };
}

async function expectSame({ path, active, snapshot }: Made): Promise<void> {
  await assertClean(path, "qcow2");
  await assertSame(path, "qcow2", active);
  const seen = `${path}.seen`;
  await run("qemu-img", ["convert", "-O", "raw", "-l", "snapshot.name=one", path, seen]);
  await run("qemu-img", ["compare", "-f", "raw", "-F", "raw", seen, snapshot]);
}

const allocated = async (path: string) =>
  JSON.parse(await run("qemu-img", ["check", "--output=json", path]))["allocated-clusters"] as number;

describe.each([
  ["clusters of 4 KiB", "cluster_size=4k", 4 * KiB],
  ["clusters of a sector", "cluster_size=512,refcount_bits=8", 512],
  ["version 2", "compat=0.10,cluster_size=4k", 4 * KiB],
  ["subclusters", "cluster_size=16k,extended_l2=on", 16 * KiB],
])("%s", (name, options, unit) => {
  test("are given back, snapshot and disk stay as they were, and QEMU goes on with both", async () => {
    const made = await make(name, options, unit);
    const { path, snapshot } = made;
    const before = await allocated(path);
    const report = await convert(path, "qcow2", { sparseSize: unit });
    expect(report.path).toEqual([{ step: "rearrange", goal: "zeros" }]);
    await expectSame(made);
    // 2, 38, 8 and 10 that stayed zeros, and 4 that became so; the disk's last ones.
    expect(before - (await allocated(path))).toBe(62 + Math.ceil(1024 / unit));
    const long = (await stat(path)).size;
    await compact(path, { sparseSize: unit });
    await expectSame(made);
    expect((await stat(path)).size).toBeLessThanOrEqual(long - 4 * unit);
    expect(await convert(path, "qcow2", { sparseSize: unit })).toMatchObject({ changed: false });
    await qemuIo(path, "qcow2", [`write -P 3 0 ${70 * unit}`]);
    await assertClean(path, "qcow2");
    await run("qemu-img", ["snapshot", "-a", "one", path]);
    await assertClean(path, "qcow2");
    await assertSame(path, "qcow2", snapshot);
    await run("qemu-img", ["snapshot", "-d", "one", path]);
    await assertClean(path, "qcow2");
  });
});

test("bitmaps stay and go on recording", async () => {
  const path = join(folder, "bitmap.qcow2");
  await run("qemu-img", ["create", "-q", "-f", "qcow2", path, "8M"]);
  await run("qemu-img", ["bitmap", "--add", path, "changed"]);
  await qemuIo(path, "qcow2", ["write -P 5 0 1M", "write -P 0 256k 512k"]);
  await run("qemu-img", ["convert", "-O", "raw", path, join(folder, "bitmap.raw")]);
  const bitmaps = async () => {
    const told = JSON.parse(await run("qemu-img", ["info", "--output=json", path]));
    return told["format-specific"].data.bitmaps;
  };
  const before = await bitmaps();
  expect(before).toHaveLength(1);
  expect((await compact(path, { sparseSize: 64 * KiB })).fileSizeAfter).toBeLessThanOrEqual(1024 * KiB);
  expect(await bitmaps()).toEqual(before);
  await assertSame(path, "qcow2", join(folder, "bitmap.raw"));
  await assertClean(path, "qcow2");
});

test.each([
  ["cluster_size=64k", 64 * KiB],
  ["cluster_size=64k,extended_l2=on", 64 * KiB],
])("a disk that was shortened leaves what its snapshot has behind its end (%s)", async (options, unit) => {
  const path = join(folder, "shortened.qcow2");
  const snapshot = join(folder, "shortened-one.raw");
  await run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", options, path, String(4 * unit)]);
  await qemuIo(path, "qcow2", [`write -P 0 0 ${2 * unit}`, `write -P 0 ${3 * unit} ${unit / 2}`]);
  await qemuIo(path, "qcow2", [`write -P 9 ${3.5 * unit} ${unit / 2}`]);
  await run("qemu-img", ["convert", "-O", "raw", path, snapshot]);
  await run("qemu-img", ["snapshot", "-c", "one", path]);
  await run("qemu-img", ["resize", "-q", "--shrink", path, String(3.5 * unit)]);
  const before = await allocated(path);
  await convert(path, "qcow2", { sparseSize: unit });
  expect(before - (await allocated(path))).toBe(2);
  await assertClean(path, "qcow2");
  await run("qemu-img", ["snapshot", "-a", "one", path]);
  await assertSame(path, "qcow2", snapshot);
});
