/** However far a repair came, and whichever sectors of a step are there: the image opens and shows the same guest and snapshots. */

import { expect, it } from "vitest";
import { qcow2Driver } from "../../src/formats/qcow2/driver.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { COPIED, HostCluster, Qcow2Bytes } from "../formats/qcow2/bytes.ts";
import { applyRepair, mixture } from "../support/apply-repair.ts";
import { openWith } from "../support/open-with.ts";
import { type Random, seededRandom } from "../support/random.ts";

/** An image whose snapshot shares its data, as at the moment it was taken; everything counts as it should. */
function imageWithSnapshot(random: Random): Qcow2Bytes {
  const refcountOrder = 1 + random.below(6);
  const image = new Qcow2Bytes({
    clusterBits: random.pick([9, 10, 12]),
    refcountOrder,
    dataClusters: 8,
    spareClusters: 6,
    version: refcountOrder === 4 && random.chance(0.3) ? 2 : 3,
    virtualSize: 2 ** 18,
  });
  const [table, l1, l2] = [13, 14, 15];
  const end = image.hostOffset(HostCluster.data + 8);
  expect(end).toBe(image.hostOffset(table));
  // Guest cluster 7 differs in the snapshot; of the others all are shared, so none is COPIED.
  const shared = 7;
  image.bytes.copyWithin(image.hostOffset(l1), image.hostOffset(HostCluster.l1), image.hostOffset(HostCluster.l1 + 1));
  image.set64(image.hostOffset(l1), BigInt(image.hostOffset(l2)));
  for (let index = 0; index < shared; index++) {
    const entry = BigInt(image.hostOffset(HostCluster.data + index));
    image.set64(image.l2Entry(index), entry).set64(image.hostOffset(l2) + index * 8, entry);
    image.setRefcount(HostCluster.data + index, 2);
  }
  for (const cluster of [table, l1, l2]) image.setRefcount(cluster, 1);
  image.set32(60, 1).set64(64, BigInt(end));
  image.set64(end, BigInt(image.hostOffset(l1))).set32(end + 8, image.bytes.readUInt32BE(36));
  image.bytes.writeUInt16BE(1, end + 12);
  image.bytes.writeUInt16BE(3, end + 14);
  image.set32(end + 36, 16).set64(end + 48, 2n ** 18n);
  image.bytes.write("1one", end + 56);
  return image;
}

function damage(image: Qcow2Bytes, random: Random): void {
  const clusters = image.bytes.length / image.clusterSize;
  const somewhere = () => BigInt(image.hostOffset(random.below(clusters + 2)));
  const kinds: (() => void)[] = [
    () => image.setRefcount(random.below(clusters), random.below(4)),
    () => image.setRefcount(random.below(clusters), random.below(4)),
    () => image.set64(image.l2Entry(random.below(9)), somewhere() | (random.chance(0.5) ? COPIED : 0n)),
    () => flip(image, image.l2Entry(random.below(8)), random),
    () => flip(image, image.hostOffset(15) + random.below(8) * 8, random),
    () => flip(image, image.l1Entry(0), random),
    () => image.set64(image.l1Entry(random.below(4)), somewhere()),
    () => image.set64(image.hostOffset(HostCluster.refcountTable), random.pick([0n, 0x10000000n, somewhere()])),
    () => flip(image, image.hostOffset(HostCluster.refcountTable), random),
    () => image.set32(image.hostOffset(13) + 36, random.pick([0, 8, 16])),
    () =>
      image.set32(image.hostOffset(13) + 8, random.pick([1, image.clusterSize / 8, image.clusterSize / 2, 2 ** 16])),
    () => image.set32(76, image.bytes.readUInt32BE(4) === 3 ? 1 + random.below(3) : image.bytes.readUInt32BE(76)),
  ];
  for (let turn = 0; turn < 1 + random.below(4); turn++) random.pick(kinds)();
}

function flip(image: Qcow2Bytes, at: number, random: Random): void {
  image.set64(at, image.get64(at) ^ (1n << BigInt(random.below(64))));
}

const OFFSET = 0x00ff_ffff_ffff_fe00n;
const COMPRESSED_BIT = 1n << 62n;

/** What each guest cluster shows, read the slow and obvious way as QEMU reads: `?` where it fails. */
function shown(bytes: Buffer): string[] {
  const [clusterBits, size] = [bytes.readUInt32BE(20), Number(bytes.readBigUInt64BE(24))];
  const [clusterSize, version] = [2 ** clusterBits, bytes.readUInt32BE(4)];
  const perTable = clusterSize / 8;
  const word = (at: number) => (at + 8 <= bytes.length ? bytes.readBigUInt64BE(at) : 0n);
  const l1 = Number(bytes.readBigUInt64BE(40));
  return Array.from({ length: size / clusterSize }, (_, cluster) => {
    const table = Number(word(l1 + Math.floor(cluster / perTable) * 8) & OFFSET);
    if (table % clusterSize !== 0) return "?";
    const entry = table === 0 ? 0n : word(table + (cluster % perTable) * 8);
    if ((entry & COMPRESSED_BIT) !== 0n) return `compressed ${entry & ~COPIED}`;
    const place = Number(entry & OFFSET);
    if (place % clusterSize !== 0 || ((entry & 1n) !== 0n && version === 2)) return "?";
    if ((entry & 1n) !== 0n) return "zero";
    if (place === 0) return "nothing";
    return place >= bytes.length ? `gone ${place}` : bytes.toString("latin1", place, place + clusterSize);
  });
}

/** The snapshot as the active view; its L1 is named by the table that the header names. */
function ofSnapshot(bytes: Buffer): Buffer {
  const image = Buffer.from(bytes);
  const table = Number(image.readBigUInt64BE(64));
  image.writeBigUInt64BE(image.readBigUInt64BE(table), 40);
  image.writeUInt32BE(image.readUInt32BE(table + 8), 36);
  return image;
}

function views(bytes: Buffer): string[][] {
  const isNamed = bytes.readUInt32BE(60) === 1;
  return isNamed ? [shown(bytes), shown(ofSnapshot(bytes))] : [shown(bytes)];
}

/** The file grew over a place past its end: zeros, as they were read before. */
function isSame(before: string, now: string | undefined): boolean {
  return before === now || (before.startsWith("gone ") && /^\0+$/.test(now ?? ""));
}

it.each([1, 2, 3])("seed %i", { timeout: 60_000 }, async (seed) => {
  const random = seededRandom(seed);
  const purposes = new Map<string, number>();
  let comparedCount = 0;
  for (let turn = 0; turn < 120; turn++) {
    const image = imageWithSnapshot(random);
    damage(image, random);
    const opened = await openWith(qcow2Driver, memoryStorage(image.bytes));
    const repair = await opened.planRepair?.({ scope: random.pick(["leaks", "all", "all"]), allowDataLoss: false });
    if (repair === undefined) throw new Error("qcow2 can be repaired");
    const before = views(image.bytes);
    const prove = async (bytes: Buffer, what: string) => {
      await openWith(qcow2Driver, memoryStorage(bytes));
      const now = views(bytes);
      for (const [view, clusters] of before.entries()) {
        // What could not be read may be read now.
        const lost = clusters.findIndex((shows, at) => shows !== "?" && !isSame(shows, now[view]?.[at]));
        comparedCount++;
        expect(lost, `seed ${seed}, image ${turn}, view ${view}, ${what}: guest cluster`).toBe(-1);
      }
    };
    const added = applyRepair(image.bytes, repair, 0);
    await prove(
      mixture(Buffer.concat([image.bytes, Buffer.alloc(added.length - image.bytes.length)]), added, () =>
        random.chance(0.5),
      ),
      "additive",
    );
    let last = added;
    for (const [index, step] of repair.steps.entries()) {
      purposes.set(step.purpose, (purposes.get(step.purpose) ?? 0) + 1);
      const next = applyRepair(image.bytes, repair, index + 1);
      for (let mix = 0; mix < 3; mix++) {
        await prove(
          mixture(last, next, () => random.chance(0.5)),
          `within: ${step.purpose}`,
        );
      }
      await prove(next, `after: ${step.purpose}`);
      last = next;
    }
  }
  expect(comparedCount).toBeGreaterThan(200);
  expect([...purposes.keys()].sort()).toEqual([
    "clear the marks",
    "give back leaked clusters",
    "raise refcounts",
    "set entries right",
    "use tables of their own",
    "use the new refcounts",
  ]);
});
