/** qcow2 with subclusters to all that has none: qemu-img sees the same guest, over a backing file too. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convert, plan } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { assertClean, assertSame, info, qemuIo, run } from "../support/qemu-tools.ts";
import { type Random, seededRandom } from "../support/random.ts";

const KiB = 1024;
const OFF: ConvertOptions = { options: { extended_l2: "off" } };

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-extended-l2-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Single subclusters and runs of them: written, made zeros, given back. */
function commandsFor(clusterSize: number, clusterCount: number, random: Random): string[] {
  const part = clusterSize / 32;
  return Array.from({ length: 14 }, (_, turn) => {
    const at = random.below(clusterCount * 32);
    const length = part * Math.min(1 + random.below(turn % 3 === 0 ? 64 : 5), clusterCount * 32 - at);
    const word = ["write -P 7", "write -z", "write -z -u", "discard", `write -P ${turn + 1}`, "write -P 200"];
    return `${word[turn % word.length]} ${at * part} ${length}`;
  });
}

/** An image with subclusters, its last cluster cut by the disk's end, and a raw copy of what its guest sees. */
async function make(name: string, clusterSize: number, hasBacking: boolean) {
  const path = join(folder, `${name}.qcow2`);
  const rawPath = join(folder, `${name}.raw`);
  const size = 12 * clusterSize - 1536;
  const random = seededRandom(clusterSize + (hasBacking ? 1 : 0));
  const base = `${name}-base.raw`;
  if (hasBacking) {
    await run("qemu-img", ["create", "-q", "-f", "raw", base, String(9 * clusterSize)], folder);
    await qemuIo(join(folder, base), "raw", [`write -P 99 0 ${9 * clusterSize}`]);
  }
  const below = hasBacking ? ["-b", base, "-F", "raw"] : [];
  const options = `extended_l2=on,cluster_size=${clusterSize}`;
  await run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", options, ...below, path, String(size)], folder);
  await qemuIo(path, "qcow2", [`write -P 5 ${3 * clusterSize} ${clusterSize}`], true);
  await qemuIo(path, "qcow2", commandsFor(clusterSize, 11, random), true);
  await qemuIo(path, "qcow2", [`write -P 6 ${size - 512} 512`], true);
  await run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", path, rawPath]);
  return { path, rawPath };
}

const extendedOf = async (path: string) => (await info(path, "qcow2"))["format-specific"]?.data["extended-l2"];

describe("subclusters", () => {
  test.each<[number, string, boolean, string, ConvertOptions]>([
    [64 * KiB, "qcow2", false, "qcow2", OFF],
    [2048 * KiB, "qcow2", false, "qcow2", OFF],
    [16 * KiB, "qcow2 over a backing file", true, "qcow2", { ...OFF, backingChain: true }],
    [64 * KiB, "qcow2 with clusters of a subcluster", true, "qcow2", { options: { cluster_size: "2k" } }],
    [16 * KiB, "qcow2 of version 2", false, "qcow2", { options: { compat: "0.10" } }],
    [16 * KiB, "qed over a backing file", true, "qed", { backingChain: true }],
    [16 * KiB, "raw", false, "raw", {}],
    [64 * KiB, "vpc", false, "vpc", { options: { subformat: "fixed", force_size: "on" } }],
  ])("of clusters of %i bytes to %s", async (clusterSize, name, hasBacking, format, options) => {
    const image = await make(`${clusterSize} ${name}`, clusterSize, hasBacking);
    const foretold = (await plan(image.path, format, options)).report;
    expect(foretold.refused).toEqual([]);
    const report = await convert(image.path, format, options);
    expect(report.changed).toBe(true);
    // vpc is probed as raw, and its footer is no part of the guest.
    if (format === "vpc") await run("qemu-img", ["compare", "-f", "vpc", "-F", "raw", image.path, image.rawPath]);
    else await assertSame(image.path, format, image.rawPath);
    if (format === "qcow2" || format === "qed") await assertClean(image.path, format);
    if (format !== "qcow2") return;
    expect(await extendedOf(image.path)).not.toBe(true);
    expect(report.bytesMoved).toBe(foretold.bytesMoved);
    expect((await convert(image.path, format, options)).changed).toBe(false);
  });
});

test("compressed clusters stay where they are, and what is as asked stays too", async () => {
  const { path, rawPath } = await make("streams", 64 * KiB, false);
  const packed = join(folder, "packed.qcow2");
  await run("qemu-img", ["convert", "-c", "-O", "qcow2", "-o", "extended_l2=on", path, packed]);
  await qemuIo(packed, "qcow2", ["write -P 77 66k 2k"]);
  await qemuIo(rawPath, "raw", ["write -P 77 66k 2k"]);
  expect((await convert(packed, "qcow2", { options: { extended_l2: "on" } })).changed).toBe(false);
  const { bytesMoved } = await convert(packed, "qcow2", OFF);
  // The cluster that was written to, if that.
  expect(bytesMoved).toBeLessThanOrEqual(64 * KiB);
  expect(await extendedOf(packed)).toBe(false);
  await assertSame(packed, "qcow2", rawPath);
  await assertClean(packed, "qcow2");
});

test("what the backing file showed is stored with the rest of its cluster, said, and shown without it", async () => {
  const { path, rawPath } = await make("told", 16 * KiB, true);
  const { notes } = await convert(path, "qcow2", { ...OFF, backingChain: true });
  expect(notes).toEqual(expect.arrayContaining([expect.stringMatching(/^\d+ bytes of the backing file/)]));
  await assertSame(path, "qcow2", rawPath);
});
