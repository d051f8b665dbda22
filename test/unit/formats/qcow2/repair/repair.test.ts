import { describe, expect, it } from "vitest";
import { qcow2Driver } from "../../../../../src/formats/qcow2/driver.ts";
import type { Repair, RepairScope } from "../../../../../src/image/repair.ts";
import type { Image } from "../../../../../src/image/source.ts";
import { checkOf } from "../../../../../src/image/source.ts";
import { memoryStorage } from "../../../../../src/storage/memory.ts";
import { COMPRESSED, COPIED, HostCluster, Qcow2Bytes, type Qcow2Shape } from "../../../../formats/qcow2/bytes.ts";
import { applyRepair } from "../../../../support/apply-repair.ts";
import { openWith } from "../../../../support/open-with.ts";

const [first, second] = [HostCluster.data, HostCluster.data + 1];
const CORRUPT = 2;
const DIRTY = 1;

function open(bytes: Uint8Array): Promise<Image> {
  return openWith(qcow2Driver, memoryStorage(bytes));
}

async function plan(bytes: Uint8Array, scope: RepairScope = "all", allowDataLoss = false): Promise<Repair> {
  const image = await open(bytes);
  return (await image.planRepair?.({ scope, allowDataLoss })) as Repair;
}

function lines({ mended }: Repair): string[] {
  return mended.flatMap(({ line }) => line ?? []);
}

/** Corruptions, leaks and check errors after the repair, and that a second one finds nothing to do. */
async function countsAfter(image: Qcow2Bytes, repair: Repair, scope: RepairScope = "all"): Promise<number[]> {
  const mended = applyRepair(image.bytes, repair);
  expect((await plan(mended, scope)).steps).toEqual([]);
  const { corruptions, leaks, checkErrors } = await checkOf(await open(mended));
  return [corruptions, leaks, checkErrors];
}

describe("a sound image", () => {
  it.each<[string, Qcow2Shape]>([
    ["version 2", { version: 2 }],
    ["version 3", { spareClusters: 3 }],
    ["subclusters", { clusterBits: 14, hasSubclusters: true }],
  ])("of %s is left alone", async (_, shape) => {
    const { bytes } = new Qcow2Bytes(shape);
    const repair = await plan(bytes);
    expect(repair).toMatchObject({ steps: [], fileSize: bytes.length, mended: [], losses: [], givenUp: [] });
    expect([...repair.additiveWrites()]).toEqual([]);
  });
});

it("that the end of file cuts inside its refcount table gets a new one, though a check finds nothing", async () => {
  const image = new Qcow2Bytes({ dataClusters: 0, virtualSize: 4096 });
  // The table goes to the last cluster, of which the file has one sector.
  const place = HostCluster.data;
  const bytes = Buffer.concat([image.bytes, Buffer.alloc(512)]);
  image.bytes.copy(
    bytes,
    image.hostOffset(place),
    image.hostOffset(HostCluster.refcountTable),
    image.hostOffset(HostCluster.refcountTable) + 512,
  );
  bytes.writeBigUInt64BE(BigInt(image.hostOffset(place)), 48);
  const block = image.hostOffset(HostCluster.refcountBlock);
  bytes.writeUInt16BE(0, block + 2 * HostCluster.refcountTable);
  bytes.writeUInt16BE(1, block + 2 * place);
  expect((await checkOf(await open(bytes))).findings).toEqual([]);
  expect((await plan(bytes)).steps.map(({ purpose }) => purpose)).toEqual(["use the new refcounts"]);
});

it("tells refcounts beyond 2^53 to the last digit, as qemu-img does", async () => {
  const image = new Qcow2Bytes({ refcountOrder: 6 });
  const block = image.hostOffset(HostCluster.refcountBlock);
  image.set64(block + first * 8, 2n ** 53n + 1n).set64(block + second * 8, 2n ** 64n - 1n);
  const repair = await plan(image.bytes, "leaks");
  expect(lines(repair)).toEqual([
    "Repairing cluster 5 refcount=9007199254740993 reference=1",
    "Repairing cluster 6 refcount=18446744073709551615 reference=1",
  ]);
  expect(await countsAfter(image, repair, "leaks")).toEqual([0, 0, 0]);
});

describe.each([0, 1, 2, 3, 4, 5, 6])("refcounts of order %i", (refcountOrder) => {
  it("fall where nobody references a cluster, alone", async () => {
    const image = new Qcow2Bytes({ refcountOrder, spareClusters: 3 });
    image.setRefcount(first + 5, 1).setRefcount(first + 6, 1);
    const repair = await plan(image.bytes, "leaks");
    expect(lines(repair)).toEqual([
      "Repairing cluster 10 refcount=1 reference=0",
      "Repairing cluster 11 refcount=1 reference=0",
    ]);
    expect([repair.leaksFixed, repair.corruptionsFixed]).toEqual([2, 0]);
    expect(repair.steps.map(({ purpose }) => purpose)).toEqual(["give back leaked clusters"]);
    expect(await countsAfter(image, repair, "leaks")).toEqual([0, 0, 0]);
  });

  it("rise in place where a block counts them", async () => {
    const image = new Qcow2Bytes({ refcountOrder, spareClusters: 3 });
    image.setRefcount(first, 0).setRefcount(first + 6, 1);
    const repair = await plan(image.bytes);
    expect(lines(repair)).toEqual([
      "Repairing cluster 5 refcount=0 reference=1",
      "Repairing cluster 11 refcount=1 reference=0",
    ]);
    expect([repair.leaksFixed, repair.corruptionsFixed, repair.fileSize]).toEqual([1, 1, image.bytes.length]);
    expect(repair.steps.map(({ purpose }) => purpose)).toEqual(["raise refcounts", "give back leaked clusters"]);
    expect(await countsAfter(image, repair)).toEqual([0, 0, 0]);
  });

  it("are made anew where the table leads nowhere", async () => {
    const image = new Qcow2Bytes({ refcountOrder });
    image.set64(image.hostOffset(HostCluster.refcountTable), 0x10000000n);
    const repair = await plan(image.bytes);
    expect(lines(repair)).toEqual(["Rebuilding refcount structure", "Repairing cluster 1 refcount=1 reference=0"]);
    expect(repair.steps.map(({ purpose }) => purpose)).toEqual(["use the new refcounts"]);
    expect(repair.fileSize).toBeGreaterThan(image.bytes.length);
    for (const { hostOffset } of repair.additiveWrites()) expect(hostOffset).toBeGreaterThanOrEqual(image.bytes.length);
    expect(await countsAfter(image, repair)).toEqual([0, 0, 0]);
  });
});

describe("a cluster that two guest ranges share", () => {
  it("counts twice, and no flag says that it counts once", async () => {
    const image = new Qcow2Bytes();
    image.set64(image.l2Entry(1), image.get64(image.l2Entry(0)));
    const repair = await plan(image.bytes);
    expect(lines(repair)).toEqual([
      "Repairing cluster 5 refcount=1 reference=2",
      "Repairing cluster 6 refcount=1 reference=0",
      "Repairing OFLAG_COPIED data cluster: l2_entry=8000000000005000 refcount=2",
      "Repairing OFLAG_COPIED data cluster: l2_entry=8000000000005000 refcount=2",
    ]);
    expect([repair.leaksFixed, repair.corruptionsFixed]).toEqual([1, 3]);
    // Counts rise before flags fall: a writer would free a cluster that somebody else references.
    expect(repair.steps.map(({ purpose }) => purpose)).toEqual([
      "raise refcounts",
      "set entries right",
      "give back leaked clusters",
    ]);
  });

  it("stays as it is where one bit can't count it", async () => {
    const image = new Qcow2Bytes({ refcountOrder: 0 });
    image.set64(image.l2Entry(1), image.get64(image.l2Entry(0)));
    const repair = await plan(image.bytes);
    expect(lines(repair)).toEqual(["Repairing cluster 6 refcount=1 reference=0"]);
    expect((await countsAfter(image, repair))[0]).toBe(1);
  });
});

describe("COPIED flags", () => {
  it("are set in L1 and L2 where the refcount is one, by a repair of leaks too", async () => {
    const image = new Qcow2Bytes();
    image.set64(image.l2Entry(0), BigInt(image.hostOffset(first)));
    image.set64(image.l1Entry(0), BigInt(image.hostOffset(HostCluster.l2)));
    for (const scope of ["leaks", "all"] as const) {
      const repair = await plan(image.bytes, scope);
      expect(lines(repair)).toEqual([
        "Repairing OFLAG_COPIED L2 cluster: l1_index=0 l1_entry=4000 refcount=1",
        "Repairing OFLAG_COPIED data cluster: l2_entry=5000 refcount=1",
      ]);
      expect(await countsAfter(image, repair, scope)).toEqual([0, 0, 0]);
    }
  });

  it("go with a refcount that falls to one", async () => {
    const image = new Qcow2Bytes();
    image.setRefcount(first, 2).set64(image.l2Entry(0), BigInt(image.hostOffset(first)));
    const repair = await plan(image.bytes, "leaks");
    expect(lines(repair)).toEqual([
      "Repairing cluster 5 refcount=2 reference=1",
      "Repairing OFLAG_COPIED data cluster: l2_entry=5000 refcount=1",
    ]);
    expect(await countsAfter(image, repair, "leaks")).toEqual([0, 0, 0]);
  });

  it("stay as they are for leaks alone where refcounts are too low", async () => {
    const image = new Qcow2Bytes({ spareClusters: 2 });
    image.setRefcount(first, 0).setRefcount(first + 5, 1);
    const repair = await plan(image.bytes, "leaks");
    expect(lines(repair)).toEqual(["Repairing cluster 10 refcount=1 reference=0"]);
  });
});

describe("entries that no image may have", () => {
  const cases: [string, (image: Qcow2Bytes) => void, Qcow2Shape?][] = [
    ["reserved bits of an L2 entry", (image) => image.set64(image.l2Entry(0), image.get64(image.l2Entry(0)) | 4n)],
    ["reserved bits of an L1 entry", (image) => image.set64(image.l1Entry(0), image.get64(image.l1Entry(0)) | 4n)],
    ["an L1 entry of flags alone", (image) => image.set64(image.l1Entry(1), COPIED), { virtualSize: 4 * 2 ** 20 }],
    [
      "COPIED on a compressed cluster",
      (image) => image.set64(image.l2Entry(0), COPIED | COMPRESSED | BigInt(image.hostOffset(first))),
    ],
    ["zeros whose place lies askew", (image) => image.set64(image.l2Entry(0), image.get64(image.l2Entry(0)) | 0x201n)],
    ["zeros whose place lies outside", (image) => image.set64(image.l2Entry(0), COPIED | 0x10000001n)],
  ];

  it.each(cases)("%s: mended without loss", async (_, damage, shape) => {
    const image = new Qcow2Bytes(shape);
    damage(image);
    const repair = await plan(image.bytes);
    expect([repair.losses, repair.givenUp]).toEqual([[], []]);
    expect(await countsAfter(image, repair)).toEqual([0, 0, 0]);
    // Leaks alone are no licence to touch them.
    const entry = image.get64(image.l2Entry(0));
    const leaks = applyRepair(image.bytes, await plan(image.bytes, "leaks"));
    expect(leaks.readBigUInt64BE(image.l2Entry(0))).toBe(entry);
  });

  it.each<[string, bigint]>([
    ["past the end", COPIED | 0x10000000n],
    ["askew", COPIED | 0x6200n],
  ])("data %s: given up by consent only, and leaks stay until then", async (_, entry) => {
    const image = new Qcow2Bytes({ spareClusters: 1 });
    image.set64(image.l2Entry(2), entry).setRefcount(first + 4, 1);
    const careful = await plan(image.bytes);
    expect(careful.losses[0]).toMatch(/^L2 table 0 names data for guest offset 0x2000 at host offset 0x/);
    expect(careful.losses.at(-1)).toMatch(/leaked clusters? stays?/);
    expect((await countsAfter(image, careful)).slice(1)).not.toEqual([0, 0]);
    expect((await plan(image.bytes, "leaks")).losses).toHaveLength(1);

    const consenting = await plan(image.bytes, "all", true);
    expect(consenting.losses).toEqual([]);
    expect(consenting.givenUp).toHaveLength(1);
    expect(await countsAfter(image, consenting)).toEqual([0, 0, 0]);
    expect(applyRepair(image.bytes, consenting).readBigUInt64BE(image.l2Entry(2))).toBe(1n);
  });

  it("data that not even zeros can stand for is told as beyond repair, with consent and without", async () => {
    const image = new Qcow2Bytes({ version: 2 });
    image.set64(8, 512n).bytes.writeUInt32BE(4, 16);
    image.bytes.write("base", 512);
    image.set64(image.l2Entry(2), COPIED | 0x10000000n);
    for (const consent of [false, true]) {
      const { losses, beyondRepair } = await plan(image.bytes, "all", consent);
      expect(beyondRepair).toEqual([expect.stringMatching(/; that can't be mended here$/)]);
      expect(losses).toContain(beyondRepair?.[0]);
    }
  });

  it("a table past the end: given up by consent only", async () => {
    const image = new Qcow2Bytes();
    image.set64(image.l1Entry(0), COPIED | 0x10000000n);
    const careful = await plan(image.bytes);
    expect(careful.losses[0]).toContain("Entry 0 of the L1 table, from guest offset 0x0 on");
    expect(careful.leaksFixed).toBe(0);
    const consenting = await plan(image.bytes, "all", true);
    expect(await countsAfter(image, consenting)).toEqual([0, 0, 0]);
  });
});

describe("an L2 table in a cluster that holds data too", () => {
  it("gets a place of its own, and neither changes the other", async () => {
    const image = new Qcow2Bytes({ virtualSize: 4 * 2 ** 20 });
    image.set64(image.l1Entry(1), COPIED | BigInt(image.hostOffset(second)));
    image.bytes.fill(0, image.hostOffset(second), image.hostOffset(second + 1));
    image.set64(image.hostOffset(second), 4n | COPIED | BigInt(image.hostOffset(first)));
    const repair = await plan(image.bytes);
    const mended = applyRepair(image.bytes, repair);
    expect(mended.subarray(image.hostOffset(second), image.hostOffset(second + 1))).toEqual(
      image.bytes.subarray(image.hostOffset(second), image.hostOffset(second + 1)),
    );
    expect(Number(mended.readBigUInt64BE(image.l1Entry(1)) & 0xffff_ffffn)).toBeGreaterThanOrEqual(image.bytes.length);
    expect((await countsAfter(image, repair))[2]).toBe(0);
  });
});

describe("a table most of whose entries lead nowhere", () => {
  it("is perhaps somebody's data: nothing in it changes without consent", async () => {
    const image = new Qcow2Bytes({ virtualSize: 4 * 2 ** 20 });
    image.set64(image.l1Entry(0), COPIED | BigInt(image.hostOffset(second)));
    const table = () => [image.hostOffset(second), image.hostOffset(second + 1)] as const;
    const mended = applyRepair(image.bytes, await plan(image.bytes));
    expect(mended.subarray(...table())).toEqual(image.bytes.subarray(...table()));
    expect((await plan(image.bytes, "all", true)).givenUp.length).toBeGreaterThan(100);
  });
});

describe("snapshot tables", () => {
  it.each([
    [0, 24, "Repairing snapshot table entry 0 is incomplete"],
    [8, 24, "Repairing snapshot table entry 0 is incomplete"],
    [1032, 1024, "Discarding too much extra metadata in snapshot table entry 0 (1032 > 1024)"],
  ])("with %i bytes of extra data are written anew with %i", async (before, now, line) => {
    const image = new Qcow2Bytes({ spareClusters: 3 });
    const [table, l1] = [image.hostOffset(first + 4), image.hostOffset(first + 5)];
    image.setRefcount(first + 4, 1).setRefcount(first + 5, 1);
    image.set32(60, 1).set64(64, BigInt(table));
    image
      .set64(table, BigInt(l1))
      .set32(table + 8, 1)
      .set32(table + 32, 77)
      .set32(table + 36, before);
    image.bytes.writeUInt16BE(1, table + 12);
    image.bytes.writeUInt16BE(3, table + 14);
    image.bytes.write("1one", table + 40 + before);
    const repair = await plan(image.bytes);
    expect(lines(repair)[0]).toBe(line);
    expect([repair.losses, repair.givenUp]).toEqual([[], []]);
    expect(await countsAfter(image, repair)).toEqual([0, 0, 0]);
    const mended = applyRepair(image.bytes, repair);
    const place = Number(mended.readBigUInt64BE(64));
    expect(place).toBeGreaterThanOrEqual(image.bytes.length);
    expect(mended.readUInt32BE(place + 36)).toBe(now);
    expect(mended.toString("latin1", place + 40 + now, place + 44 + now)).toBe("1one");
    if (before === 0) {
      expect([48, 40].map((at) => Number(mended.readBigUInt64BE(place + at)))).toEqual([16 * 4096, 77]);
    }
  });
});

describe("marks", () => {
  it.each(["leaks", "all"] as const)("go where nothing else is wrong (%s)", async (scope) => {
    const image = new Qcow2Bytes();
    image.set32(76, DIRTY | CORRUPT);
    const repair = await plan(image.bytes, scope);
    expect(repair.steps.map(({ purpose }) => purpose)).toEqual(["clear the marks"]);
    expect([repair.mended, repair.leaksFixed, repair.corruptionsFixed]).toEqual([[], 0, 0]);
    expect(applyRepair(image.bytes, repair).readBigUInt64BE(72)).toBe(0n);
  });

  it("stay where an error stays", async () => {
    const image = new Qcow2Bytes();
    image.set32(76, DIRTY | CORRUPT).set64(image.l2Entry(2), 0x10000000n);
    expect(applyRepair(image.bytes, await plan(image.bytes)).readUInt32BE(76)).toBe(DIRTY | CORRUPT);
    expect(applyRepair(image.bytes, await plan(image.bytes, "all", true)).readUInt32BE(76)).toBe(0);
  });

  it("go last", async () => {
    const image = new Qcow2Bytes();
    image.set32(76, DIRTY).setRefcount(first, 0).setRefcount(second, 3);
    const { steps } = await plan(image.bytes);
    expect(steps.map(({ purpose }) => purpose)).toEqual([
      "raise refcounts",
      "give back leaked clusters",
      "clear the marks",
    ]);
  });
});

describe("broken pointers past the end of a file that grows", () => {
  it("stay apart from what is new", async () => {
    const image = new Qcow2Bytes();
    const end = image.bytes.length;
    image.set64(image.hostOffset(HostCluster.refcountTable), 0n);
    image.set64(image.l2Entry(2), BigInt(end)).set64(image.l2Entry(3), BigInt(end + 2 * 4096));
    const repair = await plan(image.bytes);
    for (const { hostOffset } of repair.additiveWrites()) expect(hostOffset).toBeGreaterThan(end + 2 * 4096);
    const mapping = await (await open(applyRepair(image.bytes, repair))).getMapping();
    expect(Array.from(mapping.hostOffset)).toContain(end);
  });
});

describe("what can't be counted", () => {
  it("is left alone", async () => {
    const image = new Qcow2Bytes();
    image
      .set32(60, 1)
      .set64(64, 0x1000n)
      .set32(0x1000 + 8, 0x7fff_ffff)
      .set64(image.l2Entry(0), 0n);
    const repair = await plan(image.bytes);
    expect(Array.isArray(repair.steps)).toBe(true);
  });
});
