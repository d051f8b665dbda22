/** QED: cluster, table or header size out of range; a size beyond its tables; feature bits; tables that lead nowhere. */

import { type BuiltQedImage, buildQedImage, type QedImageDescription } from "./builder.ts";
import type { CorpusCase } from "../../corpus/case.ts";

const PLAIN: QedImageDescription = { virtualSize: 40 * 4096, data: [0, 1, 5], zero: [3] };

/** The plain image with one change. Cluster 0 is the header, 1 and 2 are L1, 3 and 4 the L2 table, 5, 6, 7 data. */
function changed(change: (bytes: Buffer, image: BuiltQedImage) => Buffer | void, description = PLAIN): Buffer {
  const image = buildQedImage(description);
  const bytes = Buffer.from(image.bytes);
  return change(bytes, image) ?? bytes;
}

const refuse = (name: string, qemu: CorpusCase["qemu"], says: RegExp, bytes: Buffer): CorpusCase => ({
  name: `refuse/qed/${name}`,
  target: "qcow2",
  qemu,
  says,
  bytes,
});
const accept = (name: string, description: QedImageDescription, qemu: CorpusCase["qemu"] = "opens"): CorpusCase => ({
  name: `accept/qed/${name}`,
  target: "qcow2",
  qemu,
  bytes: Buffer.from(buildQedImage(description).bytes),
});
const u32 = (hostOffset: number, value: number) => changed((bytes) => void bytes.writeUInt32LE(value, hostOffset));
const u64 = (hostOffset: number, value: bigint) => changed((bytes) => void bytes.writeBigUInt64LE(value, hostOffset));
const l2 = (index: number, value: (image: BuiltQedImage, length: number) => number) =>
  changed((bytes, image) => {
    bytes.writeBigUInt64LE(BigInt(value(image, bytes.length)), (image.l2Offsets.get(0) as number) + index * 8);
  });
const l1 = (index: number, value: (image: BuiltQedImage, length: number) => number) =>
  changed((bytes, image) => {
    bytes.writeBigUInt64LE(BigInt(value(image, bytes.length)), image.l1Offset + index * 8);
  });

export const qedCases: readonly CorpusCase[] = [
  accept("plain", PLAIN),
  accept("leaks-and-a-cut-cluster", { ...PLAIN, leaks: 2, tail: 700 }),
  accept("unknown-compatible-and-autoclear-bits", { ...PLAIN, compatFeatures: 8n, autoclearFeatures: 16n }),
  accept("table-size-1", { ...PLAIN, tableSize: 1 }, "refuses"),
  accept("header-of-two-clusters", { ...PLAIN, headerSize: 2 }),
  refuse("corrupt--cluster-size-no-power-of-two", "refuses", /cluster size 4097.*0x4/, u32(4, 4097)),
  refuse("corrupt--cluster-size-2048", "refuses", /cluster size 2048.*0x4/, u32(4, 2048)),
  refuse("corrupt--cluster-size-128-mib", "refuses", /cluster size 134217728.*0x4/, u32(4, 2 ** 27)),
  refuse("corrupt--table-size-0", "refuses", /table size 0.*0x8/, u32(8, 0)),
  refuse("corrupt--table-size-3", "refuses", /table size 3.*0x8/, u32(8, 3)),
  refuse("corrupt--table-size-32", "refuses", /table size 32.*0x8/, u32(8, 32)),
  refuse("corrupt--header-size-0", "opens", /header size 0.*0xc/, u32(12, 0)),
  refuse("corrupt--header-past-the-end", "refuses", /header of \d+ bytes ends outside/, u32(12, 2 ** 31)),
  refuse("corrupt--image-size-no-multiple-of-512", "refuses", /image size 163841.*0x30/, u64(48, 163841n)),
  refuse("corrupt--image-size-beyond-the-tables", "refuses", /image size .*beyond.*0x30/, u64(48, 1n << 40n)),
  refuse("unsupported--unknown-feature-bit", "refuses", /feature bit 3 is unknown.*0x10/, u64(16, 8n)),
  refuse("unsupported--need-check", "opens", /NEED_CHECK/, u64(16, 2n)),
  refuse("corrupt--l1-unaligned", "refuses", /0x1200 of the L1 table is not aligned/, u64(40, 0x1200n)),
  refuse("corrupt--l1-on-the-header", "refuses", /0x0 of the L1 table lies/, u64(40, 0n)),
  refuse("corrupt--l1-past-the-end", "refuses", /L1 table lies outside/, u64(40, 1n << 40n)),
  refuse("corrupt--backing-name-outside-the-header", "refuses", /backing name/, changed((bytes) => {
    bytes.writeBigUInt64LE(1n, 16);
    bytes.writeUInt32LE(4090, 56);
    bytes.writeUInt32LE(20, 60);
  })),
  refuse("unsupported--backing-name-too-long", "opens", /backing name of 1024 bytes/, changed((bytes) => {
    bytes.writeBigUInt64LE(1n, 16);
    bytes.writeUInt32LE(64, 56);
    bytes.writeUInt32LE(1024, 60);
    bytes.fill("a", 64, 64 + 1024);
  })),
  refuse("corrupt--l2-past-the-end", "opens", /L2 table 0 lies at .*, where no table/, l1(0, (_, length) => length)),
  refuse("corrupt--l2-unaligned", "opens", /L2 table 0 lies at .*, where/, l1(0, (image) => image.l1Offset + 0x2200)),
  refuse("corrupt--l2-on-the-header", "opens", /L2 table 1 lies at .*0x200, where/, l1(1, () => 0x200)),
  refuse("corrupt--l2-on-the-l1-table", "opens", /L2 table 1 at .* overlaps/, l1(1, (image) => image.l1Offset)),
  refuse("corrupt--l2-listed-twice", "opens", /L2 table 1 at .* overlaps/, l1(1, (image) => image.l2Offsets.get(0) ?? 0)),
  refuse("corrupt--data-past-the-end", "opens", /outside the file of/, l2(0, (_, length) => length)),
  refuse("corrupt--data-unaligned", "opens", /not a cluster's/, l2(0, (image) => (image.dataOffsets.get(0) ?? 0) + 512)),
  refuse("corrupt--data-on-the-header", "opens", /not a cluster's|referenced elsewhere/, l2(0, () => 2)),
  refuse("corrupt--data-on-a-table", "opens", /referenced elsewhere/, l2(0, (image) => image.l1Offset)),
  refuse("corrupt--data-used-twice", "opens", /referenced elsewhere/, l2(1, (image) => image.dataOffsets.get(0) ?? 0)),
  refuse("corrupt--offset-beyond-2-to-the-53", "opens", /beyond 2\^53/, changed((bytes, image) => {
    bytes.writeBigUInt64LE(1n << 60n, image.l2Offsets.get(0) as number);
  })),
  refuse("corrupt--cut-inside-its-tables", "refuses", /lies outside the file/, changed((bytes) => bytes.subarray(0, 2 * 4096))),
  refuse("out-of-bounds--cut-inside-its-header", "refuses", /QED header/, changed((bytes) => bytes.subarray(0, 40))),
];
