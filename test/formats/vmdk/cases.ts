/** Flat VMDKs: one accepted for each thing that a descriptor can say, one refused for each rule, made line by line. */

import type { CorpusCase } from "../../corpus/case.ts";
import { guestBytesOf } from "../guest-contents.ts";
import { buildDescriptor, type DescriptorWords, flatExtent } from "./builder.ts";

const DISK = Buffer.from(guestBytesOf({ virtualSize: 40 * 4096, data: [0, 1, 5] }));
const SECTORS = DISK.length / 512;
const NAME = "disk-flat.vmdk";
const PLAIN = flatExtent(NAME, SECTORS);

interface Made extends DescriptorWords {
  readonly text?: Buffer;
  readonly disk?: Buffer;
  readonly diskName?: string;
  readonly qemu?: CorpusCase["qemu"];
  readonly format?: string;
}

function made({ text, disk = DISK, diskName = NAME, qemu = "opens", format, ...words }: Made) {
  return {
    bytes: text ?? buildDescriptor({ extents: [PLAIN], ...words }),
    beside: { [diskName]: disk },
    target: "qcow2",
    qemu,
    ...(format !== undefined && { format }),
  };
}
const accept = (name: string, words: Made = {}): CorpusCase => ({ name: `accept/vmdk/${name}`, ...made(words) });
const refuse = (name: string, says: RegExp, words: Made): CorpusCase => ({
  name: `refuse/vmdk/${name}`,
  says,
  ...made(words),
});
/** With a line of the plain one in other words. */
const changed = (from: string, to: string): Buffer =>
  Buffer.from(buildDescriptor({ extents: [PLAIN] }).toString("latin1").replace(from, to), "latin1");
/** What qemu-img takes for a disk of no bytes, or of the text itself, it opens. */
const named = (fileName: string, qemu: CorpusCase["qemu"] = "refuses"): Made => ({
  extents: [flatExtent(fileName, SECTORS)],
  qemu,
});

const accepted: readonly CorpusCase[] = [
  accept("plain"),
  accept("line-ends-of-dos", { lineEnd: "\r\n" }),
  accept("zeros-behind-the-text", { text: Buffer.concat([buildDescriptor({ extents: [PLAIN] }), Buffer.alloc(700)]) }),
  accept("the-end-of-a-longer-text-behind-its-zero", {
    text: Buffer.concat([buildDescriptor({ extents: [PLAIN] }), Buffer.from([0]), buildDescriptor({ extents: [PLAIN] }).subarray(-6), Buffer.alloc(99)]),
  }),
  accept("blanks-behind-an-extent", { extents: [`${PLAIN}   `] }),
  accept("seven-values-in-an-extent", { extents: [`${PLAIN} 0 0`] }),
  accept("version-3", { version: "3" }),
  accept("ids-of-one-digit", { cid: "1" }),
  accept("a-name-that-is-no-ascii", { extents: [flatExtent("dïsk.raw", SECTORS)], diskName: "dïsk.raw", more: ['encoding="UTF-8"'] }),
  accept("one-sector", { extents: [flatExtent(NAME, 1)], disk: DISK.subarray(0, 512) }),
];

const refused: readonly CorpusCase[] = [
  refuse("unsupported--monolithic-sparse", /\(monolithicSparse\), which can't be read yet/, { createType: "monolithicSparse", qemu: "refuses" }),
  refuse("unsupported--vmfs", /\(vmfs\)/, { createType: "vmfs" }),
  refuse("unsupported--vmfs-with-its-extent", /\(vmfs\)/, { createType: "vmfs", extents: [`RW ${SECTORS} VMFS "${NAME}"`], more: ['encoding="windows-1252"'] }),
  refuse("unsupported--se-sparse", /\(seSparse\)/, { createType: "seSparse", extents: [`RW ${SECTORS} SESPARSE "${NAME}"`], qemu: "refuses" }),
  refuse("unsupported--a-parent", /holds what differs from another/, { parentCid: "12345678" }),
  refuse("unsupported--a-parent-by-name", /holds what differs from another/, { more: ['parentFileNameHint="base.vmdk"'] }),
  refuse("unsupported--version-4", /version 4 of its descriptor/, { version: "4", format: "vmdk", qemu: "opens" }),
  refuse("not-this-format--no-version", /no VMDK descriptor/, { text: changed("version=1\n", ""), format: "vmdk", qemu: "opens" }),
  refuse("not-this-format--no-create-type", /no VMDK descriptor/, { text: changed("createType=", "kind="), qemu: "refuses" }),
  refuse("corrupt--no-cid", /no CID in hex/, { cid: "zzzz", qemu: "refuses" }),
  refuse("corrupt--a-key-twice", /says CID twice/, { more: ["CID=00000001"] }),
  refuse("corrupt--text-behind-the-zeros", /text follows the zeros/, {
    text: Buffer.concat([buildDescriptor({ extents: [PLAIN] }), Buffer.alloc(8), Buffer.from("x")]),
  }),
  refuse("corrupt--more-than-a-cid-can-leave-behind-its-zero", /text follows the zeros/, {
    text: Buffer.concat([buildDescriptor({ extents: [PLAIN] }), Buffer.from([0]), buildDescriptor({ extents: [PLAIN] }).subarray(-7)]),
  }),
  refuse("corrupt--another-text-behind-its-zero", /text follows the zeros/, {
    text: Buffer.concat([buildDescriptor({ extents: [PLAIN] }), Buffer.from("\0RW 1 ")]),
  }),
  refuse("corrupt--no-extent", /names no extent/, { extents: [], qemu: "refuses" }),
  refuse("corrupt--two-extents", /names two extents/, { extents: [PLAIN, PLAIN] }),
  refuse("corrupt--an-extent-in-words", /can't be read/, { extents: [`RW many FLAT "${NAME}" 0`], qemu: "refuses" }),
  refuse("corrupt--sectors-beyond-all-sizes", /beyond all sizes/, { extents: [flatExtent(NAME, 1).replace(" 1 ", " 1000000000000000000000 ")], qemu: "refuses" }),
  refuse("corrupt--no-sectors", /has 0 sectors/, { extents: [flatExtent(NAME, 0)], qemu: "refuses" }),
  refuse("unsupported--partitioned", /\(partitionedDevice\)/, { createType: "partitionedDevice", qemu: "refuses" }),
  refuse("unsupported--an-extent-of-vmfs", /is VMFS, not FLAT/, { extents: [PLAIN.replace("FLAT", "VMFS")], qemu: "refuses" }),
  refuse("unsupported--read-only", /is RDONLY, not RW/, { extents: [PLAIN.replace("RW", "RDONLY")], qemu: "refuses" }),
  refuse("unsupported--an-offset", /does not begin at offset 0/, { extents: [PLAIN.replace(/0$/, "8")] }),
  refuse("unsupported--no-offset", /does not begin at offset 0/, { extents: [PLAIN.replace(/ 0$/, "")], qemu: "refuses" }),
  refuse("unsupported--a-name-in-another-folder", /leads to another folder/, named("../disk-flat.vmdk")),
  refuse("unsupported--an-absolute-name", /leads to another folder/, named("/etc/passwd", "opens")),
  refuse("unsupported--a-device", /leads to another folder/, named("/dev/zero", "opens")),
  refuse("unsupported--a-name-from-here", /leads to another folder/, named("./disk-flat.vmdk", "opens")),
  refuse("unsupported--a-name-with-a-backslash", /leads to another folder/, named("..\\disk-flat.vmdk")),
  refuse("unsupported--a-protocol", /holds a colon/, named("nbd:localhost:1")),
  refuse("unsupported--a-name-that-is-empty", /is empty/, named("")),
  refuse("unsupported--a-folder", /is a folder's/, named("..")),
  refuse("unsupported--a-name-in-latin-1", /is no text in UTF-8/, {
    text: changed(NAME, "d\xefsk.raw"),
    qemu: "refuses",
  }),
  refuse("corrupt--itself", /names itself/, named("disk.img", "opens")),
  refuse("io--nothing-there", /is not there/, named("other.vmdk")),
  refuse("out-of-bounds--shorter-than-said", /has 163840 bytes where the descriptor .* says 164352/, {
    extents: [flatExtent(NAME, SECTORS + 1)],
  }),
  refuse("unsupported--longer-than-said", /what lies behind would be the disk's/, { extents: [flatExtent(NAME, SECTORS - 1)] }),
  refuse("unsupported--longer-than-a-descriptor", /longer than 1048576 bytes/, {
    text: Buffer.concat([buildDescriptor({ extents: [PLAIN] }), Buffer.alloc(1024 * 1024)]),
  }),
];

export const vmdkCases: readonly CorpusCase[] = [...accepted, ...refused];
