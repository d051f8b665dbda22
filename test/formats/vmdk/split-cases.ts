/** Split VMDKs, whose descriptor names files of sparse or flat extents: of one file accepted, of several read and not converted, one refused for each rule. */

import type { CorpusCase } from "../../corpus/case.ts";
import { guestBytesOf } from "../guest-contents.ts";
import { buildDescriptor, type DescriptorWords, flatExtent, sparseExtent } from "./builder.ts";
import { buildSparse, type SparseDescription } from "./sparse/builder.ts";

export const SPLIT_SPARSE = "twoGbMaxExtentSparse";
export const SPLIT_FLAT = "twoGbMaxExtentFlat";

const PART: SparseDescription = { virtualSize: 40 * 4096 - 1536, data: [0, 1, 5, 9, 17, 39], isPart: "no room" };
const { isPart: _, ...WHOLE } = PART;
const SECTORS = PART.virtualSize / 512;
const FLAT = Buffer.from(guestBytesOf({ virtualSize: 20 * 4096, data: [0, 1, 7] }));
const [FIRST, SECOND, FLAT_PART] = ["disk-s001.vmdk", "disk-s002.vmdk", "disk-f001.vmdk"];
const ONE = sparseExtent(FIRST, SECTORS);
const FLAT_LINE = flatExtent(FLAT_PART, FLAT.length / 512);

interface Made extends DescriptorWords {
  readonly parts?: Readonly<Record<string, Buffer>>;
  readonly qemu?: CorpusCase["qemu"];
}

const sparsePart = (description: Partial<SparseDescription> = {}) => buildSparse({ ...PART, ...description }).bytes;

function made({ parts = { [FIRST]: sparsePart() }, qemu = "opens", ...words }: Made) {
  const bytes = buildDescriptor({ createType: SPLIT_SPARSE, extents: [ONE], ...words });
  return { bytes, beside: parts, target: "qcow2", qemu };
}
const accept = (name: string, words: Made = {}): CorpusCase => ({ name: `accept/vmdk/split-${name}`, ...made(words) });
const refuse = (name: string, says: RegExp, words: Made): CorpusCase => {
  const [kind, why] = name.split("--");
  return { name: `refuse/vmdk/${kind}--split-${why}`, says, ...made(words) };
};
const inFlat = (words: Made = {}): Made => ({
  createType: SPLIT_FLAT,
  extents: [FLAT_LINE],
  parts: { [FLAT_PART]: FLAT },
  ...words,
});
const TWO: Made = {
  extents: [ONE, sparseExtent(SECOND, SECTORS)],
  parts: { [FIRST]: sparsePart(), [SECOND]: sparsePart({ data: [2] }) },
};
const changed = (change: (bytes: Buffer) => unknown): Made => {
  const bytes = Buffer.from(sparsePart());
  change(bytes);
  return { parts: { [FIRST]: bytes } };
};

const accepted: readonly CorpusCase[] = [
  accept("sparse-in-one-part"),
  accept("sparse-with-room-for-a-text", { parts: { [FIRST]: sparsePart({ isPart: "room" }) } }),
  accept("sparse-with-another-text-inside", {
    parts: { [FIRST]: buildSparse({ ...WHOLE, descriptor: { extents: ['RW 1 SPARSE "x"'] } }).bytes },
  }),
  accept("sparse-and-compressed", { parts: { [FIRST]: sparsePart({ isStream: true, hasFooter: false }) } }),
  // QEMU looks for the footer at the descriptor's end.
  accept("sparse-and-compressed-with-a-footer", {
    parts: { [FIRST]: sparsePart({ isStream: true }) },
    qemu: "refuses",
  }),
  accept("sparse-at-odd-sectors", { parts: { [FIRST]: sparsePart({ phase: 3, seed: 5, isRedundant: true }) } }),
  accept("sparse-with-an-offset-of-0", { extents: [`${ONE} 0`], qemu: "refuses" }),
  accept("flat-in-one-part", inFlat()),
  accept("flat-said-to-be-sparse", inFlat({ createType: SPLIT_SPARSE })),
];

const refused: readonly CorpusCase[] = [
  refuse("unsupported--two-sparse", /lies in 2 parts \(disk-s001.vmdk, disk-s002.vmdk\), and no file of them/, TWO),
  refuse(
    "unsupported--flat-and-zeros",
    /lies in 2 parts \(disk-f001.vmdk\)/,
    inFlat({ extents: [FLAT_LINE, "RW 64 ZERO"] }),
  ),
  // QEMU passes over zeros and what is not RW: it shows what is left, where anything is.
  refuse("unsupported--zeros-alone", /lies in no file/, { extents: ["RW 64 ZERO"], parts: {}, qemu: "refuses" }),
  refuse("unsupported--read-only", /is RDONLY, not RW/, { extents: [ONE.replace("RW", "RDONLY")], qemu: "refuses" }),
  refuse(
    "unsupported--a-flat-offset",
    /does not begin at offset 0/,
    inFlat({ extents: [flatExtent(FLAT_PART, 8).replace(/0$/, "8")] }),
  ),
  refuse("unsupported--no-access", /is NOACCESS/, {
    ...TWO,
    extents: [ONE, sparseExtent(SECOND, SECTORS).replace("RW", "NOACCESS")],
  }),
  refuse("unsupported--an-extent-of-vmfs", /is VMFS, not FLAT, SPARSE or ZERO/, {
    extents: [ONE.replace("SPARSE", "VMFS")],
  }),
  refuse(
    "unsupported--no-flat-offset",
    /does not say where in its file/,
    inFlat({ extents: [FLAT_LINE.replace(/ 0$/, "")], qemu: "refuses" }),
  ),
  refuse("corrupt--a-sparse-offset", /said to begin at sector 8/, { extents: [`${ONE} 8`], qemu: "refuses" }),
  refuse("corrupt--a-file-twice", /names disk-s001.vmdk as two of its extents/, { extents: [ONE, ONE] }),
  refuse("corrupt--itself", /names itself/, {
    ...TWO,
    extents: [ONE, sparseExtent("disk.img", SECTORS)],
    qemu: "refuses",
  }),
  refuse("corrupt--no-sectors", /has 0 sectors/, { ...TWO, extents: [ONE, sparseExtent(SECOND, 0)] }),
  refuse("corrupt--larger-than-any-disk", /larger than any disk/, {
    extents: Array.from({ length: 3 }, () => "RW 9007199254740 ZERO"),
    parts: {},
    qemu: "refuses",
  }),
  refuse("unsupported--a-name-in-another-folder", /leads to another folder/, {
    ...TWO,
    extents: [ONE, sparseExtent("../x.vmdk", SECTORS)],
    qemu: "refuses",
  }),
  refuse("unsupported--in-1025-files", /lies in over 1024 files/, {
    extents: Array.from({ length: 1025 }, (_, index) => sparseExtent(`disk-${index}.vmdk`, SECTORS)),
    parts: {},
    qemu: "refuses",
  }),
  refuse("corrupt--another-size", /holds 161792 bytes of the disk, its header 162304/, {
    extents: [sparseExtent(FIRST, SECTORS - 1)],
  }),
  refuse("corrupt--no-extent", /says that it is a sparse extent, and it is none/, {
    parts: { [FIRST]: FLAT },
    qemu: "refuses",
  }),
  refuse("io--nothing-there", /disk-s001.vmdk.* is not there/, { parts: {}, qemu: "refuses" }),
  refuse(
    "unsupported--in-use",
    /marked as in use/,
    changed((bytes) => bytes.writeUInt8(1, 72)),
  ),
  refuse(
    "unsupported--an-unknown-flag",
    /flags 0x8 of its header/,
    changed((bytes) => bytes.writeUInt32LE(9, 8)),
  ),
  refuse(
    "out-of-bounds--shorter-than-said",
    /has 81920 bytes where the descriptor .* says 82432/,
    inFlat({ extents: [flatExtent(FLAT_PART, 161)] }),
  ),
];

export const splitCases: readonly CorpusCase[] = [...accepted, ...refused];
