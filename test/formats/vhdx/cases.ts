/** VHDX: one accepted for each thing that its structures can say, one refused for each rule, made byte by byte. */

import type { CorpusCase } from "../../corpus/case.ts";
import {
  batIndexOf,
  type BuiltVhdx,
  buildVhdx,
  header,
  ITEMS,
  type RegionDescription,
  regionTable,
  STATE,
  type VhdxDescription,
} from "./builder.ts";
import { buildDirty, LOG_GUID } from "./dirty.ts";
import type { LogEntry } from "./log.ts";
import { GUIDS, guid, HEADERS, KiB, MiB, REGION_TABLES, sealAll } from "./bytes.ts";

const PLAIN: VhdxDescription = { virtualSize: 3 * MiB, data: [0, 1, 5, 600], zero: [300] };

/** The plain image with one change: log at 1 MiB, BAT at 2, metadata at 3, blocks 0 and 2 at 4 and 5; 6 MiB in all. */
function changed(change: (bytes: Buffer, image: BuiltVhdx) => Buffer | void, description = PLAIN): Buffer {
  const image = buildVhdx(description);
  return change(image.bytes, image) ?? image.bytes;
}

type Qemu = CorpusCase["qemu"];
const accept = (name: string, bytes: Buffer, qemu: Qemu = "opens"): CorpusCase => ({
  name: `accept/vhdx/${name}`,
  target: "qcow2",
  qemu,
  bytes,
});
const refuse = (name: string, qemu: Qemu, says: RegExp, bytes: Buffer): CorpusCase => ({
  name: `refuse/vhdx/${name}`,
  target: "qcow2",
  qemu,
  says,
  bytes,
});

const built = (more: Partial<VhdxDescription>) => buildVhdx({ ...PLAIN, ...more }).bytes;
/** Something else in both headers, and the right sums. */
const inHeaders = (change: (head: Buffer) => unknown) =>
  changed((bytes) => {
    for (const at of HEADERS) change(bytes.subarray(at, at + 4 * KiB));
    sealAll(bytes);
  });
const REGIONS: readonly RegionDescription[] = [
  { id: GUIDS.bat, at: 2 * MiB, length: MiB },
  { id: GUIDS.metadata, at: 3 * MiB, length: MiB },
];
const FURTHER = { id: "00112233-4455-6677-8899-AABBCCDDEEFF", at: 6 * MiB, length: MiB, isRequired: false };
const withRegions = (regions: readonly RegionDescription[], count?: number) =>
  changed((bytes) => {
    const longer = Buffer.concat([bytes, Buffer.alloc(MiB)]);
    for (const at of REGION_TABLES) regionTable(regions, count).copy(longer, at);
    return longer;
  });
const inMetadata = (change: (region: Buffer) => unknown) =>
  changed((bytes, { metadataAt }) => void change(bytes.subarray(metadataAt, metadataAt + MiB)));
/** A sixth entry of the metadata table. */
const withItem = (id: string, at: number, length: number, flags: number) =>
  inMetadata((region) => {
    region.writeUInt16LE(6, 10);
    guid(id).copy(region, 32 + 5 * 32);
    for (const [word, value] of [at, length, flags].entries()) region.writeUInt32LE(value, 32 + 5 * 32 + 16 + 4 * word);
  });
const entry = (block: number, value: bigint | number, description = PLAIN) =>
  changed((bytes, { batAt }) => void bytes.writeBigUInt64LE(BigInt(value), batAt + 8 * batIndexOf(block)), description);
const UNKNOWN = "00112233-4455-6677-8899-AABBCCDDEEFF";

export const vhdxCases: readonly CorpusCase[] = [
  accept("plain", built({})),
  accept("disk2vhd-two-headers-alike-and-metadata-before-the-bat", built({ sequenceNumbers: [1n, 1n], order: ["log", "metadata", "bat", "blocks"] })),
  accept("first-header-newer", changed((bytes) => void header({ sequenceNumber: 2n ** 40n, logAt: MiB }).copy(bytes, HEADERS[0]))),
  accept(
    "first-header-torn",
    changed((bytes) => void bytes.writeUInt8(9, HEADERS[0] + 600)),
  ),
  accept("second-header-gone", changed((bytes) => void bytes.fill(0, HEADERS[1], HEADERS[1] + 4 * KiB))),
  accept("first-region-table-torn", changed((bytes) => void bytes.fill(9, REGION_TABLES[0] + 512, REGION_TABLES[0] + 1024)), "refuses"),
  accept("blocks-in-disorder-with-gaps", built({ virtualSize: 5 * MiB, data: [0, 256, 512, 768, 1024], seed: 3, gap: 2 })),
  accept("blocks-of-2-mib-between-its-regions", built({ blockSize: 2 * MiB, order: ["blocks", "bat", "log", "metadata"] })),
  accept("states-that-read-as-zeros", built({ virtualSize: 6 * MiB, states: { 1: STATE.zero, 3: STATE.undefined, 4: STATE.unmapped, 5: STATE.notPresent } })),
  accept("fixed-and-sectors-of-512", built({ isFixed: true, physicalSectorSize: 512 })),
  accept("regions-and-items-that-nobody-has-to-know", built({ hasUnknown: true })),
  accept("cut-where-its-disk-ends", built({ virtualSize: 3 * MiB - 4096, isCut: true })),
  accept("an-item-of-the-user-by-a-known-guid", withItem(GUIDS.fileParameters, 0, 0, 1), "refuses"),
  accept("zeros-with-a-place", entry(1, (100n << 20n) | 2n)),
  accept("no-log", inHeaders((head) => head.fill(0, 68, 80)), "refuses"),
  accept("an-entry-behind-the-disk", entry(3, (1n << 40n) | 6n)),
  refuse("corrupt--neither-header", "refuses", /neither of its headers.*0x10000/, changed((bytes) => {
    for (const at of HEADERS) bytes.writeUInt8(1, at + 100);
  })),
  refuse("corrupt--two-headers-of-one-number", "refuses", /two headers have one sequence number/, changed((bytes) => {
    for (const at of HEADERS) bytes.writeBigUInt64LE(7n, at + 8);
    bytes.writeUInt8(1, HEADERS[1] + 20);
    sealAll(bytes);
  })),
  refuse("unsupported--version-2", "refuses", /version 2 of its header/, inHeaders((head) => head.writeUInt16LE(2, 66))),
  refuse("out-of-bounds--log-behind-the-file", "opens", /log at 0x600000 ends outside the file/, inHeaders((head) => head.writeBigUInt64LE(BigInt(6 * MiB), 72))),
  refuse("corrupt--neither-region-table", "refuses", /neither of its region tables.*0x30000/, changed((bytes) => {
    for (const at of REGION_TABLES) bytes.writeUInt8(1, at + 5000);
  })),
  refuse("corrupt--two-region-tables", "opens", /two region tables do not say the same/, changed((bytes) => void regionTable([...REGIONS].reverse()).copy(bytes, REGION_TABLES[1]))),
  refuse("corrupt--2048-regions", "refuses", /2048 entries, more than 2047.*0x30008/, withRegions(REGIONS, 2048)),
  refuse("unsupported--required-region", "refuses", /region 00112233-4455-6677-8899-aabbccddeeff is required and unknown/, withRegions([...REGIONS, { ...FURTHER, isRequired: true }])),
  refuse("corrupt--regions-overlap", "refuses", /region at 0x300000 overlaps the metadata region|metadata region at 0x300000 overlaps/, withRegions([...REGIONS, { ...FURTHER, at: 3 * MiB }])),
  refuse("corrupt--region-on-the-headers", "opens", /region, 1048576 bytes at 0x0, is no run/, withRegions([...REGIONS, { ...FURTHER, at: 0 }])),
  refuse("corrupt--2048-items", "refuses", /2048 entries, more than 2047.*0x30000a/, inMetadata((region) => region.writeUInt16LE(2048, 10))),
  refuse("unsupported--required-item", "refuses", /item 00112233-4455-6677-8899-aabbccddeeff is required and unknown/, withItem(UNKNOWN, 64 * KiB + 100, 4, 4)),
  refuse("unsupported--differencing", "refuses", /\(differencing\).*its parent.*merge it/, inMetadata((region) => region.writeUInt32LE(2, ITEMS.fileParameters + 4))),
  ...[MiB / 2, 3 * MiB, 512 * MiB].map((size) =>
    refuse(`corrupt--block-size-${size}`, "refuses", new RegExp(`block size ${size} is no power of two`), inMetadata((region) => region.writeUInt32LE(size, ITEMS.fileParameters))),
  ),
  refuse("unsupported--sectors-of-4096", "refuses", /sectors of 4096 bytes, not 512/, inMetadata((region) => region.writeUInt32LE(4096, ITEMS.logical))),
  refuse("corrupt--disk-of-nothing", "refuses", /disk of 0 bytes/, inMetadata((region) => region.writeBigUInt64LE(0n, ITEMS.size))),
  refuse("corrupt--bat-too-short", "refuses", /BAT region of 1048576 bytes.*needs \d+/, inMetadata((region) => region.writeBigUInt64LE(BigInt((MiB / 8 + 1) * MiB), ITEMS.size))),
  refuse("corrupt--block-behind-the-file", "refuses", /BAT entry 0 start offset 6291456 points after end of file \(6291456\)/, entry(0, BigInt(6 * MiB) | 6n)),
  refuse("corrupt--block-across-the-end", "refuses", /BAT entry 2 end offset 6291455 points after end of file \(6290944\)/, changed((bytes) => bytes.subarray(0, -512))),
  refuse("corrupt--block-beyond-2-to-the-63", "refuses", /BAT entry 0 offset overflow/, entry(0, ((2n ** 44n - 1n) << 20n) | 6n)),
  refuse("corrupt--block-on-the-metadata", "refuses", /region 3145728-4194304 overlaps with region 3145728-4194304/, entry(0, BigInt(3 * MiB) | 6n)),
  refuse("corrupt--block-on-the-headers", "opens", /names a block on the headers/, entry(0, 6n)),
  refuse("corrupt--block-used-twice", "opens", /shares bytes with another entry's/, entry(0, BigInt(5 * MiB) | 6n)),
  refuse("corrupt--reserved-bits-of-an-entry", "opens", /reserved bits/, entry(0, BigInt(4 * MiB) | 0x106n)),
  ...[5, STATE.partiallyPresent].map((state) =>
    refuse(`corrupt--block-of-state-${state}`, "opens", new RegExp(`state ${state}, which no block`), entry(0, BigInt(4 * MiB) | BigInt(state))),
  ),
  refuse("out-of-bounds--cut-inside-its-metadata", "refuses", /outside the file|metadata region/, changed((bytes) => bytes.subarray(0, 3 * MiB + 64 * KiB))),
  refuse("corrupt--cut-behind-its-mark", "refuses", /neither of its headers/, changed((bytes) => bytes.subarray(0, 4 * KiB))),
  refuse("unsupported--vhdx-and-vdi", "opens", /looks like vdi and vhdx/, changed((bytes) => void bytes.write("\x7f\x10\xda\xbe", 64, "latin1"))),
  refuse("corrupt--log-to-be-replayed", "refuses", /log has to be replayed.*check -r all/, buildDirty().bytes),
  refuse("corrupt--log-without-an-entry", "opens", /holds no whole run of entries/, buildDirty({ logGuid: UNKNOWN, change: (entries) => entries.map((each) => ({ ...each, guid: LOG_GUID })) }).bytes),
  refuse("out-of-bounds--file-shorter-than-its-log-says", "refuses", /has 6291456 bytes where its log says 7340032/, buildDirty({
    change: ([first, last]) => [first as LogEntry, { ...(last as LogEntry), flushedFileOffset: 7 * MiB }],
  }).bytes),
  refuse("unsupported--log-version-1", "refuses", /version 1 of its log/, (() => {
    const { bytes } = buildDirty();
    for (const at of HEADERS) bytes.writeUInt16LE(1, at + 64);
    return sealAll(bytes);
  })()),
];

/** Further ones for rules of the same kind, tried in memory alone. */
export const vhdxFurtherCases: readonly CorpusCase[] = [
  refuse("corrupt--log-offset-in-no-mib", "refuses", /its log, 1048576 bytes at 0x101000, is no run/, inHeaders((head) => head.writeBigUInt64LE(BigInt(MiB + 4096), 72))),
  refuse("corrupt--log-length-in-no-mib", "refuses", /its log, 1052672 bytes/, inHeaders((head) => head.writeUInt32LE(MiB + 4096, 68))),
  refuse("corrupt--log-on-the-headers", "refuses", /log at 0x0 lies on its headers/, inHeaders((head) => head.writeBigUInt64LE(0n, 72))),
  refuse("corrupt--log-beyond-2-to-the-53", "opens", /logOffset.*beyond 2\^53/, inHeaders((head) => head.writeBigUInt64LE(1n << 60n, 72))),
  refuse("corrupt--log-on-the-bat", "refuses", /BAT region at 0x200000 overlaps the log/, inHeaders((head) => head.writeUInt32LE(2 * MiB, 68))),
  refuse("corrupt--no-bat", "refuses", /names no BAT region/, withRegions(REGIONS.slice(1))),
  refuse("corrupt--two-metadata-regions", "refuses", /names two metadata regions/, withRegions([...REGIONS, { ...FURTHER, id: GUIDS.metadata }])),
  refuse("corrupt--region-of-nothing", "opens", /region, 0 bytes at 0x600000/, withRegions([...REGIONS, { ...FURTHER, length: 0 }])),
  refuse("corrupt--region-in-no-mib", "opens", /region, 1048576 bytes at 0x601000/, withRegions([...REGIONS, { ...FURTHER, at: 6 * MiB + 4096 }])),
  refuse("out-of-bounds--region-behind-the-file", "opens", /region at 0x700000 ends outside the file/, withRegions([...REGIONS, { ...FURTHER, at: 7 * MiB }])),
  refuse("corrupt--metadata-without-a-table", "refuses", /does not begin with a metadata table.*0x300000/, inMetadata((region) => region.writeUInt8(0, 0))),
  refuse("unsupported--required-item-of-the-user", "refuses", /is required and unknown/, withItem(GUIDS.page83Data, 64 * KiB + 100, 16, 5)),
  refuse("corrupt--item-twice", "refuses", /is there twice/, withItem(GUIDS.page83Data, 64 * KiB + 100, 16, 6)),
  refuse("corrupt--item-in-the-table", "opens", /lies outside the region's items/, withItem(UNKNOWN, 60 * KiB, 4, 0)),
  refuse("corrupt--item-behind-the-region", "opens", /lies outside the region's items/, withItem(UNKNOWN, MiB - 2, 4, 0)),
  refuse("corrupt--items-overlap", "opens", /overlaps item/, withItem(UNKNOWN, 64 * KiB + 2, 4, 0)),
  refuse("corrupt--item-too-short", "opens", /has 4 bytes, not 8/, inMetadata((region) => region.writeUInt32LE(4, 32 + 32 + 20))),
  refuse("corrupt--no-virtual-disk-size", "refuses", /says no virtual disk size/, inMetadata((region) => region.fill(0, 32 + 32, 32 + 64))),
  refuse("unsupported--parent-locator", "refuses", /\(differencing\)/, withItem(GUIDS.parentLocator, 64 * KiB + 100, 20, 4)),
  refuse("unsupported--unknown-parameter-flags", "opens", /flags 0x5 of its file parameters/, inMetadata((region) => region.writeUInt32LE(5, ITEMS.fileParameters + 4))),
  refuse("corrupt--sectors-of-1024", "refuses", /sectors of 1024 bytes/, inMetadata((region) => region.writeUInt32LE(1024, ITEMS.logical))),
  refuse("corrupt--physical-sectors-of-7", "opens", /physical sector size 7/, inMetadata((region) => region.writeUInt32LE(7, ITEMS.physical))),
  refuse("corrupt--disk-of-no-whole-sectors", "opens", /disk of 3145729 bytes/, inMetadata((region) => region.writeBigUInt64LE(BigInt(3 * MiB + 1), ITEMS.size))),
  refuse("corrupt--disk-beyond-64-tib", "refuses", /disk of \d+ bytes is none/, inMetadata((region) => region.writeBigUInt64LE(2n ** 46n + 512n, ITEMS.size))),
  refuse("corrupt--block-on-the-bat", "refuses", /overlaps with region 2097152-3145728/, entry(0, BigInt(2 * MiB) | 6n)),
  refuse("corrupt--block-on-the-log", "refuses", /overlaps with region 1048576-2097152/, entry(0, BigInt(MiB) | 6n)),
];
