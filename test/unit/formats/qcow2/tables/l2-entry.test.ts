import { describe, expect, it } from "vitest";
import { encodeL2Entry, type L2Entry, parseL2Entry } from "../../../../../src/formats/qcow2/tables/l2-entry.ts";
import { NOWHERE } from "../../../../../src/image/extent.ts";

const halves = (entry: bigint) => ({ high: Number(entry >> 32n), low: Number(entry & 0xffff_ffffn) });

describe("parseL2Entry", () => {
  it.each<[string, bigint, L2Entry]>([
    ["nothing", 0n, { kind: "unallocated" }],
    ["data", 0x8000_0000_0005_0000n, { kind: "data", hostOffset: 0x50000, copied: true }],
    ["shared data", 0x0000_0000_0005_0000n, { kind: "data", hostOffset: 0x50000, copied: false }],
    ["data beyond 4 GiB", 0x8012_3456_789a_0000n, { kind: "data", hostOffset: 0x12_3456_789a_0000, copied: true }],
    ["data as far as offsets reach", 0x0080_0000_0000_0000n, { kind: "data", hostOffset: 2 ** 55, copied: false }],
    ["a zero cluster", 1n, { kind: "zero", hostOffset: NOWHERE, copied: false }],
    ["a preallocated zero cluster", 0x8000_0000_0007_0001n, { kind: "zero", hostOffset: 0x70000, copied: true }],
  ])("knows %s", (_, raw, entry) => {
    expect(parseL2Entry(halves(raw), 16)).toEqual(entry);
    expect(encodeL2Entry(entry, 16)).toEqual(halves(raw));
  });

  it.each([
    // Bits of the offset: 70 - clusterBits, so 61 for 512-byte clusters and 49 for 2 MiB ones.
    [9, (1n << 62n) | (1n << 61n) | 0x1_2345_6789n, 0x1_2345_6789, 2 * 512 - 0x189],
    [12, (1n << 62n) | (7n << 58n) | 0x5003n, 0x5003, 8 * 512 - 3],
    [16, (1n << 62n) | (0x12n << 54n) | 0x3f_0000_0000_0010n, 0x3f_0000_0000_0010, 19 * 512 - 16],
    [21, (1n << 62n) | (0x1fffn << 49n) | 0x200n, 0x200, 8192 * 512],
  ])("splits a compressed entry of cluster_bits %i", (clusterBits, raw, hostOffset, storedLength) => {
    const entry = { kind: "compressed", hostOffset, storedLength } as const;
    expect(parseL2Entry(halves(raw), clusterBits)).toEqual(entry);
    expect(encodeL2Entry(entry, clusterBits)).toEqual(halves(raw));
  });

  it("tells of no more sectors than an entry counts", () => {
    const entry = { kind: "compressed", hostOffset: 14 } as const;
    expect(encodeL2Entry({ ...entry, storedLength: 256 * 512 - 14 }, 16).high >>> 22).toBe(0x1ff);
    expect(() => encodeL2Entry({ ...entry, storedLength: 256 * 512 }, 16)).toThrow(/no entry tells of 131072 bytes/);
  });
});
