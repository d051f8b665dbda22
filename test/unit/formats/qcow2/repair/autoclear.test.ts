/** What a repair owes to autoclear features: bits we don't know go first, bitmaps and raw data files stay true or are marked. */

import { describe, expect, it } from "vitest";
import { qcow2Driver } from "../../../../../src/formats/qcow2/driver.ts";
import type { Repair, RepairScope } from "../../../../../src/image/repair.ts";
import { checkOf } from "../../../../../src/image/source.ts";
import { memoryStorage } from "../../../../../src/storage/memory.ts";
import { HostCluster, Qcow2Bytes } from "../../../../formats/qcow2/bytes.ts";
import { applyRepair } from "../../../../support/apply-repair.ts";
import { openWith } from "../../../../support/open-with.ts";

const AUTOCLEAR = 88;
const BITMAPS = 1n;
const RAW_DATA_FILE = 2n;
const UNKNOWN = (1n << 5n) | (1n << 40n) | (1n << 63n);
const FIRST = "clear what a write breaks";
const IN_USE = 1;
const AUTO = 2;
const leaked = HostCluster.data + 4 + 3;

async function plan(bytes: Uint8Array, scope: RepairScope = "all", allowDataLoss = false): Promise<Repair> {
  const image = await openWith(qcow2Driver, memoryStorage(bytes));
  return (await image.planRepair?.({ scope, allowDataLoss })) as Repair;
}

/** Corruptions and leaks of a repaired image, which a second repair leaves alone. */
async function countsOf(bytes: Uint8Array): Promise<number[]> {
  expect((await plan(bytes, "all", true)).steps).toEqual([]);
  const { corruptions, leaks } = await checkOf(await openWith(qcow2Driver, memoryStorage(bytes)));
  return [corruptions, leaks];
}

/** One bitmap, in the three clusters behind the data; one more cluster is spare. */
function image(autoclear: bigint): { image: Qcow2Bytes; flagsAt: number } {
  const image = new Qcow2Bytes({ spareClusters: 4 });
  const [directory, table, cluster] = [9, 10, 11].map((each) => image.hostOffset(each)) as [number, number, number];
  image.set64(AUTOCLEAR, autoclear);
  if ((autoclear & BITMAPS) === 0n) return { image, flagsAt: directory + 12 };
  for (const each of [9, 10, 11]) image.setRefcount(each, 1);
  image.set32(112, 0x23852875).set32(116, 24).set32(120, 1).set64(128, 32n).set64(136, BigInt(directory));
  image
    .set64(directory, BigInt(table))
    .set32(directory + 8, 1)
    .set32(directory + 12, AUTO);
  image.bytes.set([1, 16, 0, 4], directory + 16);
  image.bytes.write("bits", directory + 24);
  image.set64(table, BigInt(cluster));
  return { image, flagsAt: directory + 12 };
}

describe("bits that we don't know", () => {
  it.each(["leaks", "all"] as const)("go before anything else is written (%s)", async (scope) => {
    const { bytes } = image(UNKNOWN | BITMAPS).image.setRefcount(leaked, 1);
    const repair = await plan(bytes, scope);
    expect(repair.steps.map(({ purpose }) => purpose)).toEqual([FIRST, "give back leaked clusters"]);
    expect(applyRepair(bytes, repair, 1).readBigUInt64BE(AUTOCLEAR)).toBe(BITMAPS);
    const mended = applyRepair(bytes, repair);
    expect(mended.readBigUInt64BE(AUTOCLEAR)).toBe(BITMAPS);
    expect(await countsOf(mended)).toEqual([0, 0]);
  });

  it("go with a new refcount structure too", async () => {
    const { image: damaged } = image(UNKNOWN);
    damaged.set64(damaged.hostOffset(HostCluster.refcountTable), 0n);
    const repair = await plan(damaged.bytes);
    expect(repair.steps.map(({ purpose }) => purpose)).toEqual([FIRST, "use the new refcounts"]);
    expect(applyRepair(damaged.bytes, repair).readBigUInt64BE(AUTOCLEAR)).toBe(0n);
  });

  it.each(["leaks", "all"] as const)("stay where nothing is repaired (%s)", async (scope) => {
    const { bytes } = image(UNKNOWN | BITMAPS).image;
    expect(await plan(bytes, scope)).toMatchObject({ steps: [], mended: [] });
  });

  it("stay where what is wrong can't be mended without a loss", async () => {
    const { image: damaged } = image(UNKNOWN);
    damaged.set64(damaged.l2Entry(1), (1n << 63n) | 0x1000_0000n);
    const { steps, losses } = await plan(damaged.bytes, "leaks");
    expect(steps).toEqual([]);
    expect(losses.length).toBeGreaterThan(0);
  });
});

describe("where guest data is given up by consent", () => {
  const giveUp = (damaged: Qcow2Bytes) => damaged.set64(damaged.l2Entry(1), (1n << 63n) | BigInt(0x5200));

  it("a bitmap is marked as not to be trusted, and stays a bitmap", async () => {
    const { image: damaged, flagsAt } = image(UNKNOWN | BITMAPS);
    giveUp(damaged);
    const repair = await plan(damaged.bytes, "all", true);
    expect(repair.givenUp).toHaveLength(1);
    const first = applyRepair(damaged.bytes, repair, 1);
    expect(first.readUInt32BE(flagsAt)).toBe(IN_USE | AUTO);
    const mended = applyRepair(damaged.bytes, repair);
    expect(mended.readUInt32BE(flagsAt)).toBe(IN_USE | AUTO);
    expect(mended.readBigUInt64BE(AUTOCLEAR)).toBe(BITMAPS);
    expect(await countsOf(mended)).toEqual([0, 0]);
  });

  it("without consent nothing of it is touched", async () => {
    const { image: damaged, flagsAt } = image(BITMAPS);
    giveUp(damaged);
    const mended = applyRepair(damaged.bytes, await plan(damaged.bytes));
    expect(mended.readUInt32BE(flagsAt)).toBe(AUTO);
  });

  it("bitmaps whose directory is used as something else too are let go whole", async () => {
    const { image: damaged } = image(BITMAPS);
    giveUp(damaged);
    // Guest data on the directory: no write may go there.
    damaged.set64(damaged.l2Entry(3), (1n << 63n) | BigInt(damaged.hostOffset(9)));
    const repair = await plan(damaged.bytes, "all", true);
    const mended = applyRepair(damaged.bytes, repair);
    expect(mended.readBigUInt64BE(AUTOCLEAR)).toBe(0n);
    expect(mended.subarray(damaged.hostOffset(9), damaged.hostOffset(10))).toEqual(
      damaged.bytes.subarray(damaged.hostOffset(9), damaged.hostOffset(10)),
    );
  });

  it("a raw data file holds something else then, and is not called raw any more", async () => {
    const damaged = new Qcow2Bytes({ dataClusters: 0 });
    damaged.set64(72, 4n).set64(AUTOCLEAR, RAW_DATA_FILE | UNKNOWN);
    damaged.set64(damaged.l2Entry(0), (1n << 63n) | 0n).set64(damaged.l2Entry(1), (1n << 63n) | 0x1200n);
    const careful = applyRepair(damaged.bytes, await plan(damaged.bytes));
    expect(careful.readBigUInt64BE(AUTOCLEAR) & RAW_DATA_FILE).toBe(RAW_DATA_FILE);
    const repair = await plan(damaged.bytes, "all", true);
    expect(repair.givenUp).toHaveLength(1);
    expect(applyRepair(damaged.bytes, repair).readBigUInt64BE(AUTOCLEAR)).toBe(0n);
  });
});
