import { describe, expect, it } from "vitest";
import type { Qcow2Geometry } from "../../../../../src/formats/qcow2/header/geometry.ts";
import { type L2Sink, scanL2Table } from "../../../../../src/formats/qcow2/tables/l2-table-scan.ts";
import { seededRandom } from "../../../../support/random.ts";

const CLUSTER_BITS = 12;
const CLUSTER = 2 ** CLUSTER_BITS;
const ENTRIES = CLUSTER / 8;
const OFFSET = 0x00ff_ffff_ffff_fe00n;

const geometry = {
  clusterBits: CLUSTER_BITS,
  clusterSize: CLUSTER,
  l2EntrySize: 8,
  l2EntryCount: ENTRIES,
  hasSubclusters: false,
  hasZeroFlag: true,
} as Qcow2Geometry;

/** What a scan says of each entry, its runs taken apart. */
function scanned(entries: readonly bigint[]): { told: string[]; runCount: number } {
  const bytes = Buffer.alloc(CLUSTER);
  for (const [index, entry] of entries.entries()) bytes.writeBigUInt64BE(entry, index * 8);
  const told: string[] = [];
  let runCount = 0;
  const sink: L2Sink = {
    unallocated: (count) => told.push(...Array(count).fill("none")) && runCount++,
    zeros: (count) => told.push(...Array(count).fill("zeros")) && runCount++,
    clusters(isZero, hostOffset, count, isCopied) {
      runCount++;
      for (let turn = 0; turn < count; turn++) {
        const copied = isCopied ? " copied" : "";
        told.push(`${isZero ? "zero" : "data"} ${hostOffset + turn * CLUSTER}${copied}`);
      }
    },
    compressed: (hostOffset) => told.push(`compressed ${hostOffset}`) && runCount++,
    subclusters: () => told.push("subclusters"),
    defect: (defect, index) => told.push(`${defect} ${index}`),
  };
  scanL2Table(bytes, geometry, sink);
  return { told, runCount };
}

/** The same by the letter of the specification, an entry at a time. */
function expectedOf(entries: readonly bigint[]): string[] {
  return entries.flatMap((entry, index) => {
    const has = (bit: bigint) => ((entry >> bit) & 1n) === 1n;
    if (has(62n)) return [`compressed ${entry & 0x03ff_ffff_ffff_ffffn}`];
    const hostOffset = entry & OFFSET;
    const defects: string[] = [];
    if ((entry & 0x3f00_0000_0000_01fen) !== 0n) defects.push(`reserved-bits ${index}`);
    if (hostOffset % BigInt(CLUSTER) !== 0n) defects.push(`entry-unaligned ${index}`);
    if (hostOffset === 0n) return [...defects, has(0n) ? "zeros" : "none"];
    return [...defects, `${has(0n) ? "zero" : "data"} ${hostOffset}${has(63n) ? " copied" : ""}`];
  });
}

describe("scanL2Table", () => {
  it("tells of every entry what it says, runs across 4 GiB and all flags included", () => {
    const random = seededRandom(53);
    for (let table = 0; table < 60; table++) {
      const entries: bigint[] = [];
      while (entries.length < ENTRIES) {
        const left = ENTRIES - entries.length;
        const length = 1 + random.below(Math.min(left, random.chance(0.5) ? 3 : 200));
        const gigabytes = 2n ** 32n * BigInt(1 + random.below(3));
        const start = gigabytes - BigInt(random.below(300) * CLUSTER);
        const flags = (random.chance(0.5) ? 1n << 63n : 0n) | (random.chance(0.3) ? 1n : 0n);
        const kind = random.below(10);
        const flagged = random.below(2 * length);
        for (let turn = 0; turn < length; turn++) {
          if (kind === 0) entries.push(0n);
          else if (kind === 1) entries.push(1n);
          else if (kind === 2) entries.push((1n << 62n) | start);
          else if (kind === 3) {
            const reserved = 1n << BigInt(random.chance(0.5) ? 5 : 58);
            entries.push((start + BigInt(turn * CLUSTER)) | flags | reserved);
          } else if (kind === 4) entries.push((start + 0x200n) | flags);
          else entries.push((start + BigInt(turn * CLUSTER)) | (turn < flagged ? flags : 0n));
        }
      }
      expect(scanned(entries).told).toEqual(expectedOf(entries));
    }
  });

  it("tells clusters that follow each other in one run, also across 4 GiB", () => {
    const first = 2 ** 32 - 5 * CLUSTER;
    const entries = Array.from({ length: ENTRIES }, (_, index) => (1n << 63n) | BigInt(first + index * CLUSTER));
    expect(scanned(entries).runCount).toBe(1);
  });

  it("ends a run where the host offset has no further bit", () => {
    const last = OFFSET - BigInt(CLUSTER - 0x200);
    const entries = Array.from({ length: ENTRIES }, (_, index) =>
      index < 2 ? last - BigInt(CLUSTER * (1 - index)) : 0n,
    );
    entries[2] = 1n << 56n;
    const { told } = scanned(entries);
    expect(told.slice(0, 4)).toEqual([
      `data ${last - BigInt(CLUSTER)}`.replace(/\d+/, (n) => String(Number(n))),
      `data ${Number(last)}`,
      "reserved-bits 2",
      "none",
    ]);
  });
});
