/** Dynamic VHDs: one accepted for each thing that they can say, one refused for each rule, made byte by byte. */

import type { CorpusCase } from "../../../corpus/case.ts";
import { buildFooter, sealed } from "../builder.ts";
import { buildDynamic, type DynamicDescription } from "./builder.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
/** The header is at 512, the table at 1536; bitmaps lie at 2048, 6656 and 11264, the footer at 15872. */
const PLAIN: DynamicDescription = { virtualSize: 40 * 4096, data: [0, 1, 5] };
const END = 15_872;
const EMPTY: DynamicDescription = { virtualSize: 4 * MiB, data: [], blockSize: 2 * MiB };

const bytesOf = (description: DynamicDescription) => Buffer.from(buildDynamic(description).bytes);

const accept = (name: string, description: DynamicDescription, qemu: CorpusCase["qemu"] = "opens"): CorpusCase => ({
  name: `accept/vpc/dynamic-${name}`,
  bytes: bytesOf(description),
  target: "qcow2",
  qemu,
});
const refuse = (name: string, says: RegExp, qemu: CorpusCase["qemu"], bytes: Buffer): CorpusCase => ({
  name: `refuse/vpc/${name}`,
  target: "qcow2",
  qemu,
  says,
  bytes,
});
const refused = (name: string, says: RegExp, qemu: CorpusCase["qemu"], description: Partial<DynamicDescription>) =>
  refuse(name, says, qemu, bytesOf({ ...PLAIN, ...description }));

/** With something else in the dynamic header, and the right sum. */
const header = (change: (header: Buffer) => unknown) => ({ header: (each: Buffer) => void change(each) });
/** The footer of the plain one, changed and with the right sum. */
function footerOf(change: (footer: Buffer) => unknown, description = PLAIN): Buffer {
  const footer = bytesOf(description).subarray(-512);
  change(footer);
  return sealed(Buffer.from(footer));
}
/** Both footers changed alike. */
function both(change: (footer: Buffer) => unknown, description = PLAIN): Buffer {
  const footer = footerOf(change, description);
  return bytesOf({ ...description, copy: footer, ending: footer });
}

const dynamicAccepted: readonly CorpusCase[] = [
  accept("plain", PLAIN),
  accept("in-disorder", { ...PLAIN, seed: 3 }),
  accept("empty", EMPTY),
  accept("of-one-sector", { virtualSize: 512, data: [0] }),
  accept("an-odd-end", { ...PLAIN, virtualSize: 5 * 4096 + 512, data: [0, 5] }),
  accept("blocks-of-512k", { virtualSize: MiB + 512, data: [0, 2], blockSize: 512 * KiB }),
  accept("a-longer-table", { ...PLAIN, maxEntries: 41 }),
  accept("a-block-behind-the-end", { ...PLAIN, maxEntries: 41, entries: { 40: 4 } }),
  accept("table-before-its-header", { ...PLAIN, headerOffset: 1536, batOffset: 512, dataOffset: 8192 }),
  accept("table-at-8192", { ...PLAIN, batOffset: 8192 }),
  accept("gaps-between-blocks", { ...PLAIN, gap: 3 }),
  accept("a-bit-over-zeros", { ...PLAIN, guest: new Uint8Array(40 * 4096), isWritten: () => false }),
  accept("of-disk2vhd", { ...EMPTY, virtualSize: 136_365_211_648, creator: "d2v\0" }),
  accept("of-hyper-v-2012-r2", {
    ...EMPTY,
    virtualSize: 136_365_211_648,
    creator: "win ",
    geometry: [65_278, 16, 255],
  }),
  accept("geometry-and-size-agree", {
    ...PLAIN,
    virtualSize: 10 * 4 * 17 * 512,
    creator: "vpc ",
    geometry: [10, 4, 17],
  }),
  accept("reserved-bytes", { ...PLAIN, ...header((each) => each.fill(0x5a, 768)), reservedByte: 0x5a }),
  accept("version-1.1-of-its-header", { ...PLAIN, ...header((each) => each.writeUInt32BE(0x10001, 24)) }),
];

/** What is opened, told by the check, and not converted. */
export const dynamicFound: readonly CorpusCase[] = [
  refused(
    "corrupt--dynamic-copy-missing",
    /copy of the footer at the start is not there; the footer is good/,
    "refuses",
    { copy: Buffer.alloc(512) },
  ),
  refused("corrupt--dynamic-copy-bad", /copy .* is none: the checksum in it is 0x5, .* the footer is good/, "refuses", {
    copy: buildFooter({ diskType: 3, currentSize: PLAIN.virtualSize, checksum: 5 }),
  }),
  refused("corrupt--dynamic-footer-bad", /footer at the end is none: the checksum in it is 0x5/, "opens", {
    ending: buildFooter({ diskType: 3, currentSize: PLAIN.virtualSize, checksum: 5 }),
  }),
  refused("corrupt--dynamic-footer-cut-off", /footer at the end is not there: the file is truncated/, "opens", {
    ending: Buffer.alloc(0),
  }),
  refused(
    "corrupt--dynamic-something-behind",
    /footer at the end is not there: .* something was put behind it/,
    "opens",
    {
      ending: Buffer.concat([footerOf(() => {}), Buffer.alloc(512)]),
    },
  ),
  refuse(
    "out-of-bounds--dynamic-cut-inside-a-block",
    /BAT entry of block 5 .* at host offset 0x2c00, where it ends behind 0x3c00: the file is truncated/,
    "refuses",
    bytesOf(PLAIN).subarray(0, END - 512),
  ),
  refused("out-of-bounds--dynamic-entry-past-the-end", /block 7 .* where it ends behind 0x3e00/, "refuses", {
    entries: { 7: 0x1000 },
  }),
  refused("out-of-bounds--dynamic-entry-on-the-footer", /block 7 .* at host offset 0x2e00/, "opens", {
    entries: { 7: 0x17 },
  }),
  refused("corrupt--dynamic-entry-0", /block 7 .* on footer, header or block allocation table/, "opens", {
    entries: { 7: 0 },
  }),
  refused("corrupt--dynamic-entry-on-the-table", /block 7 .* at host offset 0x600, on footer, header or/, "opens", {
    entries: { 7: 3 },
  }),
  refused("corrupt--dynamic-entry-twice", /block 7 .* at host offset 0x800, on what another block has/, "opens", {
    entries: { 7: 4 },
  }),
  refused(
    "corrupt--dynamic-entries-alike",
    /BAT entries of block 7 and of 1 block behind it .* on what another/,
    "opens",
    { entries: { 6: 4, 7: 4, 8: 4 } },
  ),
  refused("corrupt--dynamic-blocks-overlap", /block 7 .* at host offset 0x1000, on what another block has/, "opens", {
    entries: { 7: 8 },
  }),
  refused(
    "corrupt--dynamic-bitmap-hides-data",
    /bitmap of block 1 at host offset 0x1a00 says .* at guest offset 0x1400/,
    "opens",
    {
      isWritten: (block, sector) => block !== 1 || sector < 2,
    },
  ),
  refuse(
    "unsupported--dynamic-saved-state",
    /in saved state/,
    "opens",
    both((footer) => (footer[84] = 1)),
  ),
];

const dynamicRefused: readonly CorpusCase[] = [
  refused(
    "corrupt--dynamic-both-footers-bad",
    /checksum of its footer is 0x5, .*, and so it is with the copy at its start/,
    "refuses",
    { checksum: 5 },
  ),
  refused("corrupt--dynamic-footers-disagree", /disagree in currentSize, .*\(at host offset 0x30\)/, "opens", {
    ending: footerOf((footer) => footer.writeBigUInt64BE(4096n, 48)),
  }),
  refused("corrupt--dynamic-footers-of-two-types", /disagree in diskType/, "opens", {
    ending: footerOf((footer) => footer.writeUInt32BE(4, 60)),
    copy: footerOf((footer) => footer.writeUInt32BE(3, 60)),
  }),
  refused("corrupt--dynamic-footers-of-two-ids", /disagree in id, /, "opens", {
    ending: footerOf((footer) => (footer[68] = 7)),
  }),
  refuse(
    "unsupported--dynamic-version-2",
    /version 0x20000 of its footer/,
    "opens",
    both((footer) => footer.writeUInt32BE(0x20000, 12)),
  ),
  refuse(
    "unsupported--differencing-with-its-table-elsewhere",
    /\(differencing\).*its parent/,
    "opens",
    both((footer) => footer.writeUInt32BE(4, 60), { ...PLAIN, batOffset: 8192 }),
  ),
  refuse(
    "corrupt--dynamic-header-nowhere",
    /dynamic header at 0xffffffffffffffff lies where/,
    "refuses",
    both((footer) => footer.fill(0xff, 16, 24)),
  ),
  refuse(
    "corrupt--dynamic-header-on-the-footer",
    /dynamic header at 0x0 lies/,
    "refuses",
    both((footer) => footer.fill(0, 16, 24)),
  ),
  refuse(
    "corrupt--dynamic-header-past-the-end",
    /dynamic header at 0x100000 lies/,
    "refuses",
    both((footer) => footer.writeBigUInt64BE(1n << 20n, 16)),
  ),
  refused(
    "corrupt--dynamic-header-cookie",
    /does not begin with cxsparse/,
    "refuses",
    header((each) => each.fill(0, 0, 8)),
  ),
  refused("corrupt--dynamic-header-checksum", /checksum of its dynamic header is 0x5, .*0x224/, "opens", {
    headerChecksum: 5,
  }),
  refused(
    "unsupported--dynamic-header-version",
    /version 0x20000 of its dynamic header/,
    "opens",
    header((each) => each.writeUInt32BE(0x20000, 24)),
  ),
  ...[0, 12_288, 2048, 512 * MiB].map((size) =>
    refused(
      `corrupt--dynamic-block-size-${size}`,
      new RegExp(`block size ${size} is no power of two`),
      "refuses",
      header((each) => each.writeUInt32BE(size, 32)),
    ),
  ),
  refused(
    "corrupt--dynamic-table-too-short",
    /disk has 163840 bytes, and its block allocation table reaches to 159744/,
    "refuses",
    header((each) => each.writeUInt32BE(39, 28)),
  ),
  refused(
    "out-of-bounds--dynamic-table-past-the-end",
    /table at 0x600 of 4000 entries ends outside/,
    "refuses",
    header((each) => each.writeUInt32BE(4000, 28)),
  ),
  refused(
    "out-of-bounds--dynamic-table-of-2-to-the-30",
    /of 1073741825 entries ends outside/,
    "refuses",
    header((each) => each.writeUInt32BE(2 ** 30 + 1, 28)),
  ),
  refuse(
    "corrupt--dynamic-file-of-1028-bytes",
    /dynamic header at 0x200 lies where none can be/,
    "refuses",
    bytesOf({
      ...PLAIN,
      ...header((each) => each.writeUInt32BE(2 ** 30 + 1, 28)),
    }).subarray(0, 1028),
  ),
  refused(
    "corrupt--dynamic-table-unaligned",
    /table at 0x601 lies where none can be/,
    "refuses",
    header((each) => each.writeBigUInt64BE(1537n, 16)),
  ),
  refused(
    "corrupt--dynamic-table-on-its-header",
    /table at 0x400 lies/,
    "opens",
    header((each) => each.writeBigUInt64BE(1024n, 16)),
  ),
  refused(
    "corrupt--dynamic-table-on-the-footer",
    /table at 0x0 lies/,
    "refuses",
    header((each) => each.writeBigUInt64BE(0n, 16)),
  ),
  refuse(
    "corrupt--dynamic-size-unaligned",
    /disk of 163741 bytes is no multiple of 512/,
    "opens",
    both((footer) => footer.writeBigUInt64BE(163_741n, 48)),
  ),
  refuse(
    "corrupt--dynamic-size-beyond-2-to-the-53",
    /currentSize.*beyond 2\^53/,
    "refuses",
    both((footer) => footer.writeBigUInt64BE(1n << 63n, 48)),
  ),
  refused("unsupported--dynamic-larger-than-2040-gib", /larger than 2040 GiB/, "refuses", {
    virtualSize: 2041 * 2 ** 30,
    blockSize: 256 * MiB,
    data: [],
    batOffset: 2048,
  }),
  refused(
    "unsupported--dynamic-sizes-disagree",
    /current size is 163840 bytes, its geometry 4 × 4 × 17 comes to 139264, .* between them are zeros/,
    "opens",
    { creator: "vpc ", geometry: [4, 4, 17] },
  ),
  refused(
    "unsupported--dynamic-sizes-disagree-over-data",
    /bytes 139264 to 163840 between them hold data; choose/,
    "opens",
    { creator: "vbox", geometry: [4, 4, 17], data: [0, 39] },
  ),
  refused(
    "unsupported--dynamic-geometry-beyond-its-table",
    /lie outside the file|between them are zeros \(its block allocation table reaches to 163840\)/,
    "refuses",
    { creator: "vpc ", geometry: [5, 4, 17] },
  ),
  refuse(
    "unsupported--dynamic-and-bootable",
    /looks like vpc and a boot sector/,
    "opens",
    both((footer) => footer.set([0x55, 0xaa], 510)),
  ),
  refuse(
    "unsupported--dynamic-and-tar",
    /looks like vpc and ova/,
    "opens",
    both((footer) => footer.write("ustar\0", 257, "latin1")),
  ),
];

export const dynamicCases: readonly CorpusCase[] = [...dynamicAccepted, ...dynamicFound, ...dynamicRefused];
