import { expect, it } from "vitest";
import type { Qcow2Geometry } from "../../../../../src/formats/qcow2/header/geometry.ts";
import { TableLook } from "../../../../../src/formats/qcow2/repair/table-look.ts";
import { seededRandom } from "../../../../support/random.ts";

const CLUSTER = 4096;
const ENTRIES = CLUSTER / 8;
const geometry = {
  clusterBits: 12,
  clusterSize: CLUSTER,
  l2EntrySize: 8,
  l2EntryCount: ENTRIES,
  hasSubclusters: false,
  hasZeroFlag: true,
} as Qcow2Geometry;

it("finds the entries of suspect clusters within runs, of compressed data and of defects, each once", () => {
  const random = seededRandom(7);
  for (let turn = 0; turn < 40; turn++) {
    const table = Buffer.alloc(CLUSTER);
    const wrong = new Set(Array.from({ length: random.below(6) }, () => 5000 + random.below(ENTRIES)));
    const expected: number[] = [];
    for (let index = 0; index < ENTRIES; index++) {
      const cluster = 5000 + index;
      const kind = random.chance(0.02) ? random.below(3) : 3;
      const place = BigInt(cluster * CLUSTER);
      if (kind === 0) table.writeBigUInt64BE(0n, index * 8);
      else if (kind === 1) table.writeBigUInt64BE((1n << 62n) | place, index * 8);
      else table.writeBigUInt64BE((1n << 63n) | place | (kind === 2 ? 2n : 0n), index * 8);
      if (kind === 1 || kind === 2 || (kind === 3 && wrong.has(cluster))) expected.push(index);
    }
    const look = new TableLook(geometry, {
      ofClusters: (hostOffset, count) =>
        [...wrong].some((cluster) => cluster >= hostOffset / CLUSTER && cluster < hostOffset / CLUSTER + count),
      ofCompressed: () => true,
      ofDefects: true,
    });
    expect(look.suspectsIn(table)).toEqual(expected);
    expect(look.suspectsIn(Buffer.alloc(CLUSTER))).toEqual([]);
  }
});
