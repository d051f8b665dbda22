/** qcow2: every field that may lie, tables that lead astray, clusters that do not inflate, marks that ask for repair. */

import { deflateRawSync } from "node:zlib";
import { buildQcow2Image, type Qcow2ImageDescription, type Qcow2Places } from "./builder.ts";
import type { CorpusCase } from "../../corpus/case.ts";

const COPIED = 1n << 63n;
const CLUSTER_43 = deflateRawSync(Buffer.alloc(512, 0x43));

function made(
  change: (bytes: Buffer, at: Qcow2Places) => Buffer | void,
  description: Qcow2ImageDescription = {},
): Buffer {
  const { bytes, at } = buildQcow2Image(description);
  return change(bytes, at) ?? bytes;
}

const refuse = (name: string, qemu: CorpusCase["qemu"], says: RegExp, bytes: Buffer): CorpusCase => ({
  name: `refuse/qcow2/${name}`,
  target: "qed",
  qemu,
  says,
  bytes,
});
const accept = (name: string, description: Qcow2ImageDescription): CorpusCase => ({
  name: `accept/qcow2/${name}`,
  target: "qed",
  qemu: "opens",
  bytes: made(() => {}, description),
});
const u32 = (hostOffset: number, value: number, description?: Qcow2ImageDescription) =>
  made((bytes) => void bytes.writeUInt32BE(value, hostOffset), description);
const u64 = (hostOffset: number, value: bigint, description?: Qcow2ImageDescription) =>
  made((bytes) => void bytes.writeBigUInt64BE(value, hostOffset), description);
/** Sets a table entry: where, and to which host offset (with the COPIED flag). */
const entry = (where: (at: Qcow2Places) => number, to: (at: Qcow2Places) => number, flags = COPIED) =>
  made((bytes, at) => void bytes.writeBigUInt64BE(flags | BigInt(to(at)), where(at)));

export const qcow2Cases: readonly CorpusCase[] = [
  accept("plain", {}),
  accept("version-2", { version: 2 }),
  accept("compressed", { compressed: CLUSTER_43 }),
  accept("clusters-of-4-kib", { clusterBits: 12 }),
  accept("unknown-compatible-and-autoclear-bits", { compatible: 0x80n, autoclear: 0x80n }),
  accept("unknown-extension", { extensions: [{ type: 0x12345678, data: Buffer.from("what is this") }] }),

  refuse("corrupt--cluster-bits-8", "refuses", /cluster_bits at host offset 0x14: 8/, u32(20, 8)),
  refuse("corrupt--cluster-bits-22", "refuses", /cluster_bits at host offset 0x14: 22/, u32(20, 22)),
  refuse("corrupt--cluster-bits-13-with-extended-l2", "refuses", /cluster_bits .*13/, made(() => {}, { clusterBits: 13, incompatible: 16n })),
  refuse("unsupported--l1-larger-than-32-mib", "refuses", /l1_size at host offset 0x24/, u32(36, 4 * 2 ** 20 + 1)),
  refuse("corrupt--l1-too-small", "refuses", /l1_size at host offset 0x24: 0/, u32(36, 0)),
  refuse("corrupt--l1-unaligned", "refuses", /l1_table_offset at host offset 0x28/, u64(40, 0x604n)),
  refuse("corrupt--l1-beyond-2-to-the-56", "opens", /l1TableOffset|l1_table_offset/, u64(40, 1n << 57n)),
  refuse("corrupt--l1-on-the-header", "opens", /header|L1 table/, u64(40, 0n)),
  refuse("unsupported--refcount-table-larger-than-8-mib", "refuses", /refcount_table_clusters .*0x38/, u32(56, 16_385)),
  refuse("corrupt--refcount-table-of-no-clusters", "refuses", /refcount_table_clusters .*0x38/, u32(56, 0)),
  refuse("corrupt--refcount-table-at-0", "opens", /refcount_table_offset .*0x30/, u64(48, 0n)),
  refuse("corrupt--refcount-table-unaligned", "refuses", /refcount_table_offset .*0x30/, u64(48, 0x208n)),
  refuse("unsupported--65536-snapshots", "refuses", /nb_snapshots .*0x3c/, u32(60, 65_536)),
  refuse("corrupt--snapshots-unaligned", "refuses", /snapshots_offset .*0x40/, u64(64, 0x208n, { snapshot: true })),
  refuse("corrupt--snapshot-extra-data-of-1025-bytes", "refuses", /1025 bytes of extra data/, made((bytes, at) => void bytes.writeUInt32BE(1025, at.snapshots + 36), { snapshot: true })),
  refuse("corrupt--65536-bitmaps", "refuses", /bitmaps extension .*65536/, u32(112, 65_536, { bitmap: true })),
  refuse("corrupt--bitmap-directory-past-the-end", "refuses", /bitmap directory/, u64(128, 1n << 30n, { bitmap: true })),
  // Which is qcow, and its header another one.
  refuse("corrupt--version-1", "refuses", /cluster_bits at host offset/, u32(4, 1)),
  refuse("unsupported--version-4", "refuses", /version at host offset 0x4: version 4/, u32(4, 4)),
  refuse("corrupt--refcount-order-7", "refuses", /refcount_order at host offset 0x60/, u32(96, 7)),
  refuse("corrupt--header-length-96", "refuses", /header_length at host offset 0x64: 96/, u32(100, 96)),
  refuse("corrupt--header-length-108", "opens", /header_length at host offset 0x64: 108/, u32(100, 108)),
  refuse("corrupt--header-length-beyond-the-cluster", "refuses", /header_length at host offset 0x64: 520/, u32(100, 520)),
  refuse("corrupt--extension-longer-than-the-cluster", "refuses", /header extension .*0x68/, made((bytes) => {
    bytes.writeUInt32BE(0x12345678, 104);
    bytes.writeUInt32BE(4096, 108);
  })),
  refuse("unsupported--unknown-incompatible-bit", "refuses", /incompatible_features .*bit 7/, u64(72, 1n << 7n)),
  refuse("corrupt--compression-bit-without-its-field", "refuses", /incompatible_features|compression/, u64(72, 8n)),
  refuse("corrupt--compression-bit-with-type-0", "refuses", /compression_type .*0x68/, made((bytes) => {
    bytes.writeBigUInt64BE(8n, 72);
    bytes.writeUInt32BE(112, 100);
  })),
  refuse("unsupported--encryption-method-3", "refuses", /crypt_method at host offset 0x20: method 3/, u32(32, 3)),
  refuse("unsupported--aes", "opens", /aes encryption/, u32(32, 1)),
  refuse("corrupt--size-of-2-to-the-63", "refuses", /size/, u64(24, 1n << 63n)),
  refuse("unsupported--size-no-multiple-of-512", "opens", /size at host offset 0x18/, u64(24, 32_767n)),
  refuse("corrupt--backing-name-longer-than-1023", "refuses", /backing_file_size .*0x10/, made((bytes) => {
    bytes.writeBigUInt64BE(1024n, 8);
    bytes.writeUInt32BE(1024, 16);
  }, { clusterBits: 12 })),
  refuse("corrupt--backing-name-outside-the-first-cluster", "refuses", /backing_file_offset .*0x8/, made((bytes) => {
    bytes.writeBigUInt64BE(508n, 8);
    bytes.writeUInt32BE(8, 16);
  })),
  refuse("corrupt--l2-on-the-header", "opens", /L1 table.*flags|header/, entry((at) => at.l1, () => 0)),
  refuse("corrupt--l2-on-l1", "opens", /L1 table|refcount|COPIED|references/, entry((at) => at.l1, (at) => at.l1)),
  refuse("corrupt--l2-on-the-refcount-block", "opens", /L2 table 0/, entry((at) => at.l1, (at) => at.refcountBlock)),
  refuse("corrupt--l2-past-the-end", "opens", /L2 table 0.*outside the file/, entry((at) => at.l1, (at) => at.end + 8 * 512)),
  refuse("corrupt--l2-unaligned", "opens", /Entry 0 of the L1 table|compressed|cluster size/, made((bytes, at) => {
    bytes.writeBigUInt64BE(COPIED | BigInt(at.l2 + 512), at.l1);
  }, { clusterBits: 12 })),
  refuse("corrupt--reserved-bits-in-an-l2-entry", "opens", /Entry 4 of the L2 table 0.*reserved/, entry((at) => at.l2 + 32, () => 0, COPIED | 0x0100_0000_0000_0000n)),
  refuse("corrupt--data-on-the-refcount-table", "opens", /refcount/, entry((at) => at.l2, (at) => at.refcountTable)),
  refuse("corrupt--data-on-its-own-l2-table", "opens", /refcount|references/, entry((at) => at.l2, (at) => at.l2)),
  refuse("corrupt--data-past-the-end", "opens", /outside the file/, entry((at) => at.l2, (at) => at.end + 8 * 512)),
  refuse("corrupt--data-unaligned", "opens", /cluster size|aligned/, made((bytes, at) => {
    bytes.writeBigUInt64BE(COPIED | BigInt(at.data + 512), at.l2);
  }, { clusterBits: 12 })),
  refuse("corrupt--data-used-twice", "opens", /refcount|references/, entry((at) => at.l2 + 8, (at) => at.data)),
  refuse("corrupt--refcount-block-on-l1", "opens", /refcount table|block/, entry((at) => at.refcountTable, (at) => at.l1, 0n)),
  refuse("corrupt--refcount-block-past-the-end", "opens", /refcount table/, entry((at) => at.refcountTable, (at) => at.end * 2, 0n)),
  refuse("corrupt--refcount-0-of-data", "opens", /refcount/, made((bytes, at) => void bytes.writeUInt16BE(0, at.refcountBlock + 2 * (at.data / 512)))),
  refuse("corrupt--compressed-beyond-its-sectors", "opens", /inflate|host offset/, made(() => {}, { compressed: deflateRawSync(noise(600), { level: 0 }).subarray(0, 500) })),
  refuse("corrupt--compressed-to-more-than-a-cluster", "opens", /more than 512 bytes/, made(() => {}, { compressed: deflateRawSync(Buffer.alloc(1 << 20, 0x43)).subarray(0, 512) })),
  refuse("corrupt--compressed-to-less-than-a-cluster", "opens", /511 bytes, a cluster has 512/, made(() => {}, { compressed: deflateRawSync(Buffer.alloc(511, 0x43)) })),
  refuse("corrupt--compressed-past-the-end", "opens", /outside the file/, made((bytes, at) => {
    bytes.writeBigUInt64BE((1n << 62n) | BigInt(at.end * 4), at.l2 + 24);
  }, { compressed: CLUSTER_43 })),
  refuse("unsupported--dirty", "opens", /dirty/, u64(72, 1n)),
  refuse("unsupported--corrupt-bit", "opens", /corrupt bit/, u64(72, 2n)),
  refuse("unsupported--external-data-file", "opens", /another file|data file/, u64(72, 4n)),
  refuse("unsupported--snapshots-to-qed", "opens", /snapshot/, made(() => {}, { snapshot: true })),
  refuse("unsupported--bitmaps-to-qed", "opens", /bitmaps? old/, made(() => {}, { bitmap: true })),
  refuse("out-of-bounds--cut-inside-its-header", "refuses", /header/, made((bytes) => bytes.subarray(0, 40))),
  refuse("corrupt--cut-inside-its-tables", "opens", /outside the file|refcount/, made((bytes, at) => bytes.subarray(0, at.l2))),
];

/** Bytes that do not compress. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let index = 0; index < length; index++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    bytes[index] = state >>> 16;
  }
  return bytes;
}
