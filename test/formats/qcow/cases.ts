/** qcow (version 1): sizes and places out of range, tables and clusters that lie where none can, streams that end early. */

import type { CorpusCase } from "../../corpus/case.ts";
import { type BuiltQcow, buildQcow, type QcowDescription } from "./builder.ts";

const PLAIN: QcowDescription = { virtualSize: 40 * 4096, data: [0, 1, 5], compressed: [3] };

/** The plain image with one change. The L1 table lies at 48, the L2 table at 4096, data and the stream behind it. */
function changed(change: (bytes: Buffer, image: BuiltQcow) => Buffer | void, description = PLAIN): Buffer {
  const image = buildQcow(description);
  const bytes = Buffer.from(image.bytes);
  return change(bytes, image) ?? bytes;
}

const refuse = (
  name: string,
  qemu: CorpusCase["qemu"],
  says: RegExp,
  bytes: Buffer,
  target = "qcow2",
): CorpusCase => ({
  name: `refuse/qcow/${name}`,
  target,
  // Other versions are another format's.
  format: "qcow",
  qemu,
  says,
  bytes,
});
const accept = (name: string, description: QcowDescription, target = "qcow2"): CorpusCase => ({
  name: `accept/qcow/${name}`,
  target,
  qemu: "opens",
  bytes: Buffer.from(buildQcow(description).bytes),
});
const u8 = (hostOffset: number, value: number) => changed((bytes) => void bytes.writeUInt8(value, hostOffset));
const u32 = (hostOffset: number, value: number) => changed((bytes) => void bytes.writeUInt32BE(value, hostOffset));
const u64 = (hostOffset: number, value: bigint) => changed((bytes) => void bytes.writeBigUInt64BE(value, hostOffset));
const l1 = (index: number, value: (image: BuiltQcow, length: number) => number) =>
  changed(
    (bytes, image) => void bytes.writeBigUInt64BE(BigInt(value(image, bytes.length)), image.l1Offset + index * 8),
    { ...PLAIN, virtualSize: 600 * 4096 },
  );
const l2 = (index: number, value: (image: BuiltQcow, length: number) => number | bigint) =>
  changed((bytes, image) => {
    bytes.writeBigUInt64BE(BigInt(value(image, bytes.length)), (image.l2Offsets.get(0) as number) + index * 8);
  });
const stream = (length: number, hostOffset: number) => (1n << 63n) | (BigInt(length) << 51n) | BigInt(hostOffset);
const placeOf = (image: BuiltQcow, cluster: number) => image.dataOffsets.get(cluster) as number;

export const qcowCases: readonly CorpusCase[] = [
  accept("plain", PLAIN),
  accept("to-qed", PLAIN, "qed"),
  accept("leaks", { ...PLAIN, leaks: 2, seed: 3, shuffleTables: true }),
  accept("clusters-of-512", { clusterSize: 512, virtualSize: 300 * 512, data: [0, 1, 77, 299], compressed: [4] }),
  accept("clusters-of-64-kib", { clusterSize: 65_536, l2Bits: 13, virtualSize: 9 * 65_536, data: [0, 8], compressed: [2] }),
  accept("tables-of-512-bytes", { ...PLAIN, l2Bits: 6, virtualSize: 600 * 4096, data: [0, 64, 599] }),
  accept("odd-sectors", { ...PLAIN, sectorsBetween: 1 }),
  accept("l1-apart-tables-last", { ...PLAIN, l1: "apart", tables: "last" }),
  accept("streams-byte-by-byte", { ...PLAIN, compressed: [2, 3, 4, 6, 7, 8, 9] }),
  accept("streams-that-tell-more", { ...PLAIN, compressed: [2, 3, 4, 6], streamsTellMore: 40 }),
  accept("ends-inside-its-last-cluster", { ...PLAIN, cut: 1000 }),
  accept("ends-inside-a-cluster-at-an-odd-sector", { ...PLAIN, compressed: [], sectorsBetween: 1, cut: 3800 }),
  accept("of-mkimg", { l2Bits: 9, l1: "apart", virtualSize: 4_329_472, data: Array.from({ length: 1026 }, (_, index) => index + (index > 500 ? 31 : 0)) }),
  accept("odd-size", { ...PLAIN, virtualSize: 40 * 4096 - 1536, data: [0, 39] }),

  refuse("not-this-format--version-2", "refuses", /version 1/, u32(4, 2)),
  refuse("corrupt--cluster-bits-8", "refuses", /cluster_bits at host offset 0x20: 8/, u8(32, 8)),
  refuse("corrupt--cluster-bits-17", "refuses", /cluster_bits at host offset 0x20: 17/, u8(32, 17)),
  refuse("corrupt--l2-bits-5", "refuses", /l2_bits at host offset 0x21: 5/, u8(33, 5)),
  refuse("corrupt--l2-bits-14", "refuses", /l2_bits at host offset 0x21: 14/, u8(33, 14)),
  refuse("corrupt--size-0", "refuses", /size at host offset 0x18: the disk has no bytes/, u64(24, 0n)),
  refuse("unsupported--size-no-multiple-of-512", "opens", /size .*163841 is no multiple/, u64(24, 163_841n)),
  refuse("unsupported--size-beyond-2-to-the-53", "refuses", /longer than 2\^53/, u64(24, 1n << 55n)),
  refuse("unsupported--l1-larger-than-qemu-opens", "refuses", /L1 table of 268435456 entries/, u64(24, 1n << 49n)),
  refuse("corrupt--l1-past-the-end", "opens", /l1_table_offset at host offset 0x28.*ends outside/, u64(40, 1n << 40n)),
  refuse("corrupt--l1-longer-than-the-file", "opens", /L1 table of 524288 entries ends outside/, u64(24, 1n << 40n)),
  refuse("corrupt--l1-in-the-header", "opens", /L1 table lies in the header/, u64(40, 40n)),
  refuse("corrupt--l1-beyond-2-to-the-53", "refuses", /l1TableOffset.*beyond 2\^53/, u64(40, 1n << 63n)),
  refuse("unsupported--shorter-than-a-sector", "opens", /file of 56 bytes is shorter than a sector/, changed(() => {}, { virtualSize: 2 ** 20 })),
  refuse("unsupported--encrypted", "opens", /aes encryption|encrypted/, changed(() => {}, { ...PLAIN, cryptMethod: 1 })),
  refuse("unsupported--unknown-encryption", "refuses", /crypt_method at host offset 0x24: method 2/, u32(36, 2)),
  refuse("corrupt--backing-name-too-long", "refuses", /backing_file_size at host offset 0x10: 1024/, changed((bytes) => {
    bytes.writeBigUInt64BE(4096n, 8);
    bytes.writeUInt32BE(1024, 16);
  })),
  refuse("corrupt--backing-name-in-the-header", "opens", /backing_file_offset .*0x8.*header/, changed((bytes) => {
    bytes.writeBigUInt64BE(8n, 8);
    bytes.writeUInt32BE(4, 16);
  })),
  refuse("corrupt--backing-name-past-the-end", "opens", /backing_file_offset .*outside the file/, changed((bytes) => {
    bytes.writeBigUInt64BE(BigInt(bytes.length - 3), 8);
    bytes.writeUInt32BE(4, 16);
  })),
  refuse("corrupt--backing-name-on-the-l1-table", "opens", /backing_file_offset .*L1 table/, changed((bytes) => {
    bytes.writeBigUInt64BE(50n, 8);
    bytes.writeUInt32BE(4, 16);
  })),
  refuse("corrupt--l2-past-the-end", "opens", /L2 table 1 lies at .*, where no table/, l1(1, (_, length) => length)),
  refuse("corrupt--l2-cut-off", "opens", /L2 table 1 lies at .*, where no table/, l1(1, (_, length) => length - 512)),
  refuse("corrupt--l2-listed-twice", "opens", /L2 table 1 at .* overlaps/, l1(1, (image) => image.l2Offsets.get(0) ?? 0)),
  refuse("corrupt--l2-on-another", "opens", /L2 table 1 at .* overlaps/, l1(1, (image) => (image.l2Offsets.get(0) ?? 0) + 8)),
  refuse("corrupt--l2-on-the-header", "opens", /L2 table 0 at host offset 0x1000 overlaps/, l1(1, () => 8)),
  refuse("corrupt--l2-on-data", "opens", /The entry for guest offset 0x200000 points at .*, outside/, l1(1, (image) => placeOf(image, 1))),
  refuse("corrupt--data-past-the-end", "opens", /outside the file of/, l2(9, (_, length) => Math.ceil(length / 512) * 512)),
  refuse("corrupt--data-between-sectors", "opens", /which is no sector's/, l2(0, (image) => placeOf(image, 0) + 7)),
  refuse("corrupt--data-beyond-2-to-the-62", "opens", /outside the file of/, l2(0, () => 1n << 62n)),
  refuse("corrupt--data-on-the-header", "opens", /lies on the (?:header|L1)|lies on metadata/, l2(9, () => 1n << 63n | 1n << 51n | 40n)),
  refuse("corrupt--data-on-a-table", "opens", /The data of guest offset 0x0 at .* lies on L2 table 0/, l2(0, (image) => (image.l2Offsets.get(0) ?? 0) + 512)),
  refuse("corrupt--data-used-twice", "opens", /lies on the data of guest offset 0x0/, l2(1, (image) => placeOf(image, 0))),
  refuse("corrupt--data-used-twice-in-part", "opens", /lies on the data of guest offset 0x0/, l2(1, (image) => placeOf(image, 0) + 512)),
  refuse("corrupt--stream-in-data", "opens", /lies on the data of guest offset 0x0/, l2(1, (image) => stream(100, placeOf(image, 0) + 700))),
  refuse("corrupt--stream-of-no-bytes", "opens", /has no bytes/, l2(3, (image) => stream(0, placeOf(image, 3)))),
  refuse("corrupt--stream-past-the-end", "opens", /ends outside the file of/, l2(3, (_, length) => stream(100, length - 99))),
  refuse("corrupt--stream-that-ends-early", "opens", /Cannot inflate/, l2(3, (image) => stream(20, placeOf(image, 3))), "qed"),
  refuse("corrupt--cut-inside-its-l2-table", "opens", /L2 table 0 lies at .*, where no table/, changed((bytes) => bytes.subarray(0, 5000))),
  refuse("out-of-bounds--cut-inside-its-header", "opens", /qcow header/, changed((bytes) => bytes.subarray(0, 40))),
];
