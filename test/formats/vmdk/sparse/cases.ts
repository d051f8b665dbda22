/** Sparse VMDKs: one accepted for each thing that a header, a table or a marker can say, one refused for each rule, made byte by byte. */

import type { CorpusCase } from "../../../corpus/case.ts";
import { buildSparse, type SparseDescription } from "./builder.ts";

const MIXED: SparseDescription = {
  virtualSize: 40 * 4096 - 1536,
  data: [0, 1, 5, 9, 17, 39],
  descriptor: { more: ['ddb.adapterType2 = "x"'] },
};
const STREAM: SparseDescription = { ...MIXED, isStream: true };
const NO_FOOTER: SparseDescription = { ...STREAM, hasFooter: false };

type Change = (bytes: Buffer, built: ReturnType<typeof buildSparse>) => unknown;

function made(description: SparseDescription, change: Change | undefined) {
  const built = buildSparse(description);
  const bytes = Buffer.from(built.bytes);
  const changed = change?.(bytes, built);
  return { bytes: Buffer.isBuffer(changed) ? changed : bytes, target: "qcow2" };
}
const accept = (name: string, description: SparseDescription, change?: Change): CorpusCase => ({
  name: `accept/vmdk/sparse-${name}`,
  ...made(description, change),
  qemu: "opens",
});
const refuse = (
  name: string,
  says: RegExp,
  change: Change,
  description: SparseDescription = MIXED,
  qemu: CorpusCase["qemu"] = "opens",
): CorpusCase => {
  const [kind, why] = name.split("--") as [string, string];
  return { name: `refuse/vmdk/${kind}--sparse-${why}`, says, ...made(description, change), qemu };
};
const u32 =
  (at: number, value: number): Change =>
  (bytes) =>
    bytes.writeUInt32LE(value, at);
const u64 =
  (at: number, value: bigint): Change =>
  (bytes) =>
    bytes.writeBigUInt64LE(value, at);
const u8 =
  (at: number, value: number): Change =>
  (bytes) =>
    bytes.writeUInt8(value, at);
const both =
  (...changes: readonly Change[]): Change =>
  (bytes, built) => {
    for (const change of changes) change(bytes, built);
  };
const entry =
  (grain: number, value: number): Change =>
  (bytes, { tableOffsets }) =>
    bytes.writeUInt32LE(value, (tableOffsets.get(0) as number) + grain * 4);
/** In the marker of a grain. */
const marker =
  (grain: number, field: number, value: number, size: 1 | 4 = 4): Change =>
  (bytes, { grainOffsets }) =>
    bytes.writeUIntLE(value, (grainOffsets.get(grain) as number) + field, size);
const footer =
  (field: number, value: number): Change =>
  (bytes) =>
    bytes.writeUInt32LE(value, bytes.length - 1024 + field);

const accepted: readonly CorpusCase[] = [
  accept("plain", MIXED),
  accept("empty", { virtualSize: 1024 * 1024 }),
  accept("zero-grains", { ...MIXED, zero: [3, 20] }),
  accept("a-redundant-directory", { ...MIXED, isRedundant: true, entryCount: 16 }),
  accept("a-redundant-directory-that-is-the-first", { ...MIXED }, (bytes) => {
    bytes.writeUInt32LE(3, 8);
    bytes.copy(bytes, 48, 56, 64);
  }),
  accept("grains-at-odd-sectors", { ...MIXED, phase: 3, seed: 4 }),
  accept("tables-behind-the-grains", { ...MIXED, tables: "last" }),
  accept("grains-of-one-sector", { virtualSize: 8192, data: [0, 3, 15], grainSize: 512 }),
  accept("version-3", { ...MIXED, version: 3 }),
  accept("no-line-ends", MIXED, (bytes) => {
    bytes.writeUInt32LE(0, 8);
    bytes.fill(0, 73, 77);
  }),
  accept("ends-inside-its-last-grain", { ...MIXED, missing: 1000 }),
  accept("a-name-of-nothing", { ...MIXED, descriptor: { extents: ['RW 317 SPARSE ""'] } }),
  accept("three-values-in-its-extent", { ...MIXED, descriptor: { extents: ["RW 317 SPARSE"] } }),
  accept("a-name-of-another-file", { ...MIXED, descriptor: { extents: ['RW 317 SPARSE "../../etc/passwd" 0 0 0  '] } }),
  accept("a-stream", STREAM),
  accept("a-stream-without-a-footer", NO_FOOTER),
  accept("a-stream-without-a-footer-or-an-end", NO_FOOTER, (bytes) => bytes.subarray(0, bytes.length - 512)),
  accept("a-stream-of-zlib-1", { ...NO_FOOTER, level: 1 }),
  accept("a-stream-longer-than-its-grain", { ...STREAM, level: 0, grainSize: 65_536, data: [0], virtualSize: 65_536 }),
  accept("a-stream-with-a-short-tail", { ...STREAM, hasShortTail: true }),
  accept("a-stream-with-zeros", { ...STREAM, zero: [3, 38] }),
  accept("a-stream-in-disorder", { ...STREAM, seed: 9, entryCount: 16 }),
  accept("a-stream-of-version-1", { ...NO_FOOTER, version: 1 }),
];

const refused: readonly CorpusCase[] = [
  refuse("unsupported--version-0", /version 0 of its header/, u32(4, 0)),
  refuse("unsupported--version-4", /version 4 of its header/, u32(4, 4), MIXED, "refuses"),
  refuse("unsupported--an-unknown-flag", /flags 0x8 of its header/, u32(8, 0x9)),
  refuse("corrupt--line-ends", /line ends were changed/, u8(75, 0x0a)),
  refuse("unsupported--markers-alone", /compressed or markers/, u32(8, 0x2_0001)),
  refuse("unsupported--compressed-alone", /compressed or markers/, u32(8, 0x1_0001), NO_FOOTER),
  refuse("unsupported--packed-by-2", /packed by method 2/, u8(77, 2), NO_FOOTER),
  refuse("unsupported--packed-and-not-said", /packed by method 1/, u8(77, 1)),
  refuse("corrupt--grains-of-3-sectors", /grains have 3 sectors/, u64(20, 3n)),
  refuse("corrupt--grains-of-32-MiB", /grains have 65536 sectors/, u64(20, 65_536n)),
  refuse("corrupt--506-entries", /have 506 entries/, u32(44, 506)),
  refuse("corrupt--1024-entries", /have 1024 entries/, u32(44, 1024), MIXED, "refuses"),
  refuse("corrupt--no-entries", /have 0 entries/, u32(44, 0), MIXED, "refuses"),
  refuse("corrupt--no-sectors", /disk has no sectors/, u64(12, 0n), MIXED, "refuses"),
  refuse("corrupt--10-to-the-21-bytes", /beyond 2\^53/, u64(12, 2n ** 63n), MIXED, "refuses"),
  refuse("unsupported--2-to-the-50-sectors", /directory would be too large/, u64(12, 2n ** 43n), MIXED, "refuses"),
  refuse("out-of-bounds--cut-before-its-grains", /sectors come before its grains/, u64(64, 10_000n), MIXED, "refuses"),
  refuse("unsupported--no-descriptor", /one of the files of a VMDK/, u64(28, 0n)),
  refuse("unsupported--a-descriptor-of-2-MiB", /longer than 1048576 bytes/, u64(36, 4096n)),
  refuse("out-of-bounds--a-descriptor-outside", /descriptor at .* ends outside/, u64(28, 100_000n)),
  refuse("corrupt--a-directory-on-the-header", /directory lies on its header/, u64(56, 0n)),
  refuse("out-of-bounds--a-directory-outside", /directory at .* ends outside/, u64(56, 100_000n), MIXED, "opens"),
  refuse("unsupported--in-use", /marked as in use/, u8(72, 1)),
  refuse("unsupported--vmfs-sparse", /\(vmfsSparse\)/, () => {}, {
    ...MIXED,
    descriptor: { createType: "vmfsSparse" },
  }),
  refuse("unsupported--custom", /\(custom\)/, () => {}, { ...MIXED, descriptor: { createType: "custom" } }),
  refuse("unsupported--a-parent", /differs from another/, () => {}, {
    ...MIXED,
    descriptor: { parentCid: "12345678" },
  }),
  refuse("corrupt--two-extents", /names two extents/, () => {}, {
    ...MIXED,
    descriptor: { extents: ['RW 300 SPARSE "a"', 'RW 17 SPARSE "b"'] },
  }),
  refuse("unsupported--an-extent-of-sesparse", /is SESPARSE, not SPARSE/, () => {}, {
    ...MIXED,
    descriptor: { extents: ['RW 317 SESPARSE "a"'] },
  }),
  refuse("unsupported--no-access", /is NOACCESS/, () => {}, {
    ...MIXED,
    descriptor: { extents: ['NOACCESS 317 SPARSE "a"'] },
  }),
  refuse("corrupt--two-sizes", /gives its disk 316 sectors, its header 317/, () => {}, {
    ...MIXED,
    descriptor: { extents: ['RW 316 SPARSE "a"'] },
  }),
  refuse("corrupt--a-table-outside", /table 0 .* ends outside/, (bytes, { directoryOffset }) =>
    bytes.writeUInt32LE(100_000, directoryOffset),
  ),
  refuse(
    "corrupt--a-table-twice",
    /table 1 .* lies where another one does/,
    (bytes, { directoryOffset }) => bytes.copy(bytes, directoryOffset + 4, directoryOffset, directoryOffset + 4),
    { ...MIXED, entryCount: 16 },
  ),
  refuse("corrupt--a-grain-outside", /lies past the end of the file/, entry(5, 100_000)),
  refuse("corrupt--a-grain-twice", /lie at host offset .*, where others do/, (bytes, built) =>
    entry(5, (built.grainOffsets.get(9) as number) / 512)(bytes, built),
  ),
  refuse("corrupt--a-grain-on-the-descriptor", /lie at host offset .*, on metadata/, entry(5, 2)),
  refuse("corrupt--a-zero-grain-that-is-not-said", /on metadata/, entry(5, 1)),
  refuse("corrupt--a-redundant-table-that-differs", /has another table 0 than the first one/, entry(5, 0), {
    ...MIXED,
    isRedundant: true,
  }),
  refuse("corrupt--a-redundant-directory-outside", /ends outside the file, so that/, both(u32(8, 3), u64(48, 90_000n))),
  refuse(
    "out-of-bounds--a-stream-that-is-cut",
    /footer.* is not at its end/,
    (bytes) => bytes.subarray(0, -512),
    STREAM,
    "refuses",
  ),
  refuse(
    "out-of-bounds--a-stream-cut-inside-a-sector",
    /footer.* is not at its end/,
    (bytes) => bytes.subarray(0, -100),
    STREAM,
    "opens",
  ),
  refuse(
    "corrupt--no-directory-anywhere",
    /says nothing of where its tables lie/,
    u64(56, 2n ** 64n - 1n),
    MIXED,
    "refuses",
  ),
  refuse("corrupt--a-footer-of-another-image", /another image's than its header/, footer(12, 318), STREAM),
  refuse(
    "corrupt--a-footer-that-asks-for-one",
    /footer says nothing of where/,
    (bytes) => bytes.writeBigUInt64LE(2n ** 64n - 1n, bytes.length - 1024 + 56),
    STREAM,
    "refuses",
  ),
  refuse("corrupt--a-marker-of-another-grain", /is marked as that of sector 16/, marker(5, 0, 16), STREAM),
  refuse("corrupt--a-marker-past-its-grain", /runs into what lies behind it/, marker(5, 8, 2000), STREAM),
  refuse("corrupt--a-marker-of-no-bytes", /said to have 0 bytes/, marker(5, 8, 0), STREAM),
  refuse("corrupt--a-marker-of-4-GiB", /said to have 4294967295 bytes/, marker(39, 8, 0xffff_ffff), STREAM),
  refuse("corrupt--a-stream-of-no-zlib", /does not begin as a stream of zlib/, marker(5, 12, 0x79, 1), STREAM),
  refuse("corrupt--a-preset-dictionary", /preset dictionary/, marker(5, 13, 0xbb, 1), STREAM),
  refuse(
    "corrupt--a-stream-twice",
    /is marked as that of sector 72/,
    (bytes, built) => entry(5, (built.grainOffsets.get(9) as number) / 512)(bytes, built),
    STREAM,
  ),
  refuse("corrupt--a-stream-outside", /lies past the end of the file/, entry(5, 100_000), STREAM),
];

export const sparseCases: readonly CorpusCase[] = [...accepted, ...refused];
