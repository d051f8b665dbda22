/** OVAs: one accepted for each thing that an archive or its descriptor can say, one refused for each rule, made byte by byte. */

import type { CorpusCase } from "../../corpus/case.ts";
import { buildQcow2Image } from "../qcow2/builder.ts";
import { paxRecord, tarBytes } from "../../support/tar-bytes.ts";
import { buildSparse, type SparseDescription } from "../vmdk/sparse/builder.ts";
import { buildOva, type OvaDescription, ovfText, resealed } from "./builder.ts";

const MIXED: SparseDescription = { virtualSize: 40 * 4096 - 1536, data: [0, 1, 5, 9, 17, 39] };
const STREAM = buildSparse({ ...MIXED, isStream: true }).bytes;
const AS_THEY_LIE = buildSparse(MIXED).bytes;
const UUID = "564d4bc1-9f02-11f0-a3c1-0800200c9a66";

type Wrapping = Partial<OvaDescription>;
type Change = (bytes: Buffer, diskAt: number) => unknown;

function made({ disk = STREAM, ...wrapping }: Wrapping, change: Change | undefined) {
  const { bytes, diskAt } = buildOva({ ...wrapping, disk });
  const changed = change?.(bytes, diskAt);
  return { bytes: Buffer.isBuffer(changed) ? changed : bytes, target: "qcow2" };
}
// qemu-img knows no OVA: a name of ours.
const accept = (name: string, wrapping: Wrapping, change?: Change): CorpusCase => ({
  name: `accept/ova/${name}`,
  ...made(wrapping, change),
  qemu: "refuses",
});
const refuse = (name: string, says: RegExp, wrapping: Wrapping, change?: Change): CorpusCase => ({
  name: `refuse/ova/${name}`,
  says,
  ...made(wrapping, change),
  qemu: "refuses",
});
/** In the disk, by the VMDK's own places. */
const inDisk =
  (at: number, bytes: readonly number[]): Change =>
  (image, diskAt) =>
    image.set(bytes, diskAt + at);
/** The block before the disk. */
const inHeader =
  (at: number, text: string, isSealed = true): Change =>
  (image, diskAt) => {
    image.write(text, diskAt - 512 + at, "latin1");
    return isSealed ? resealed(image) : image;
  };
const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);

const accepted: readonly CorpusCase[] = [
  accept("plain", {}),
  accept("a-manifest-of-sha1-first", { manifest: "SHA1", order: ["mf", "ovf", "disk"] }),
  accept("a-manifest-of-sha256", { manifest: "SHA256" }),
  accept("a-manifest-of-sha512-last", { manifest: "SHA512", order: ["ovf", "disk", "mf"] }),
  accept("a-manifest-that-proves-nothing", { manifestText: "\n" }),
  accept("a-manifest-of-an-unknown-digest", { manifestText: "SHA3-256(disk.vmdk)= 00\nSHA3-256(box.ovf)= 00\n" }),
  accept("a-manifest-of-java", { manifestText: "Manifest-Version: 1.0\n" }),
  accept("a-certificate", { manifest: "SHA256", more: [{ name: "box.cert", content: Buffer.from("SHA256(box.mf)= 00\n") }] }),
  accept("the-descriptor-last", { order: ["disk", "mf", "ovf"] }),
  accept("a-name-without-an-extension", { diskName: UUID }),
  accept("a-disk-without-a-name", { diskName: "" }),
  accept("names-with-a-folder", { diskName: "./disk.vmdk", more: [{ name: "./", type: "5" }], manifest: "SHA256" }),
  accept("gnu-headers", { style: "gnu", diskName: `${"long".repeat(40)}.vmdk` }),
  accept("pax-headers", { style: "pax", manifest: "SHA256" }),
  accept("a-size-in-binary", { isBinary: true }),
  accept("a-prefix", {
    diskName: "disks/disk.vmdk",
    order: ["ovf", "more"],
    more: [{ name: "disk.vmdk", prefix: "disks", content: STREAM }],
  }),
  accept("no-end", { hasEnd: false }),
  accept("no-end-and-nothing-to-fill-its-last-block", { hasEnd: false, order: ["disk", "ovf"] }, (bytes) =>
    bytes.subarray(0, bytes.length - 40),
  ),
  accept("a-single-block-of-zeros", { hasEnd: false, behind: Buffer.alloc(512) }),
  accept("something-behind-its-end", { behind: Buffer.alloc(3000, 0x55) }),
  accept("grains-as-they-lie", { disk: AS_THEY_LIE }),
  accept("a-stream-without-a-footer", { disk: buildSparse({ ...MIXED, isStream: true, hasFooter: false }).bytes }),
  accept("further-members", { more: [{ name: "box.nvram", content: Buffer.alloc(700, 1) }] }),
  accept("a-descriptor-in-utf-16", { ovf: utf16(ovfText("disk.vmdk")) }),
  accept("a-reference-by-numbers", { diskName: "my disk&1.vmdk", ovf: ovfText("my%20disk&#x26;1.vmdk") }),
  accept("files-said-to-be-as-they-are", { ovf: ovfText("disk.vmdk", 'ovf:compression="identity"') }),
  accept("a-descriptor-without-disks", { ovf: "<Envelope/>" }),
];

const refused: readonly CorpusCase[] = [
  refuse("unsupported--no-descriptor", /tar archive without an OVF descriptor.* with tar -xf/, { ovf: null }),
  refuse("unsupported--two-descriptors", /2 OVF descriptors: box\.ovf, b\.ovf/, {
    more: [{ name: "b.ovf", content: Buffer.from(ovfText("disk.vmdk")) }],
  }),
  refuse("corrupt--no-ovf", /box\.ovf is no OVF descriptor/, { ovf: "<html/>" }),
  refuse("unsupported--a-descriptor-of-2-MiB", /box\.ovf is larger than 1 MiB/, { ovf: Buffer.alloc(2 ** 20 + 1) }),
  refuse("unsupported--no-disk", /no disk is in it/, { ovf: "<Envelope/>", order: ["ovf"] }),
  refuse("unsupported--two-disks", /2 disks: disk\.vmdk, b\.vmdk.*tar -xf/, {
    more: [{ name: "b.vmdk", content: STREAM }],
  }),
  refuse("corrupt--a-disk-that-is-not-there", /its disk c\.vmdk is not in it/, { ovf: ovfText("c.vmdk") }),
  refuse("corrupt--a-disk-of-no-file", /names a disk, and no file of it/, {
    ovf: '<Envelope><Disk fileRef="a"/></Envelope>',
  }),
  refuse("unsupported--packed", /disk disk\.vmdk is packed \(gzip\) .*; take it out .* and unpack it/, {
    ovf: ovfText("disk.vmdk", 'ovf:compression="gzip"'),
  }),
  refuse("unsupported--packed-and-not-said", /its disk disk\.vmdk\.gz: it is packed by gzip/, {
    diskName: "disk.vmdk.gz",
    disk: Buffer.concat([Buffer.from([0x1f, 0x8b, 8]), Buffer.alloc(1000)]),
  }),
  refuse("unsupported--in-pieces", /disk disk\.vmdk is cut into pieces/, {
    ovf: ovfText("disk.vmdk", 'ovf:chunkSize="1000"'),
  }),
  refuse("unsupported--a-qcow2", /its disk disk\.vmdk is a qcow2 image, not a VMDK/, {
    disk: buildQcow2Image({}).bytes,
  }),
  refuse("not-this-format--a-disk-of-no-mark", /its disk disk\.vmdk: no known magic/, { disk: Buffer.alloc(5000, 1) }),
  refuse("unsupported--an-archive-in-it", /its disk disk\.vmdk: it is an archive itself/, {
    disk: tarBytes([{ name: "box.ovf", content: Buffer.from("x") }]),
  }),
  refuse("unsupported--a-flat-disk", /its disk disk\.vmdk: .*lies in another file/, {
    disk: Buffer.from(
      '# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 8 FLAT "disk.vmdk" 0\n',
    ),
  }),
  refuse("corrupt--a-disk-whose-footer-is-another", /its disk disk\.vmdk: its footer is another/, {}, inDisk(STREAM.length - 1024 + 12, [1])),
  refuse("out-of-bounds--a-disk-that-is-cut", /its disk disk\.vmdk: its footer, by which/, { disk: STREAM.subarray(0, -512) }),
  refuse("corrupt--a-disk-whose-grain-lies-outside", /lies past the end/, { disk: AS_THEY_LIE }, (bytes, diskAt) => {
    const directory = diskAt + bytes.readUInt32LE(diskAt + 56) * 512;
    bytes.writeUInt32LE(500, diskAt + bytes.readUInt32LE(directory) * 512);
  }),
  refuse("unsupported--a-disk-in-use", /disk disk\.vmdk is marked as in use/, { disk: AS_THEY_LIE }, inDisk(72, [1])),
  refuse("unsupported--a-disk-that-ends-in-its-last-grain", /ends inside its last grain/, {
    disk: buildSparse({ ...MIXED, virtualSize: 40 * 4096, missing: 1000 }).bytes,
  }),
  refuse("corrupt--a-sum", /no tar header \(at host offset/, {}, inHeader(0, "e", false)),
  refuse("corrupt--a-size-of-no-number", /size is no number/, {}, inHeader(124, "0000000000x")),
  refuse("corrupt--a-size-below-0", /size is no number/, {}, inHeader(124, "\xff")),
  refuse("corrupt--a-size-beyond-2-to-the-53", /size is no number/, {}, inHeader(124, "\x80\xff\xff\xff\xff\xff")),
  refuse("out-of-bounds--a-size-outside", /disk\.vmdk of 8589934591 bytes ends outside/, {}, inHeader(124, "77777777777")),
  refuse("out-of-bounds--cut-off", /disk\.vmdk of \d+ bytes ends outside/, {}, (bytes, diskAt) => bytes.subarray(0, diskAt + 5000)),
  refuse("corrupt--an-extended-header-of-2-MiB", /larger than 1 MiB/, {
    more: [{ name: "x", type: "x", content: Buffer.alloc(2 ** 20 + 1) }],
  }),
  refuse("out-of-bounds--an-extended-header-outside", /an extended header of 100000 bytes ends outside/, {
    more: [{ name: "x", type: "x", size: 100_000 }],
    hasEnd: false,
  }),
  refuse("corrupt--an-extended-header-of-nothing", /ends behind a header that tells/, {
    more: [{ name: "x", type: "x", content: paxRecord("path", "y") }],
  }),
  refuse("corrupt--a-record-without-a-length", /record of an extended header has no right length/, {
    more: [{ name: "x", type: "x", content: Buffer.from("99 path=y\n") }, { name: "y" }],
  }),
  refuse("corrupt--a-size-for-all", /gives each the same name or size/, {
    more: [{ name: "x", type: "g", content: paxRecord("size", "1") }, { name: "y" }],
  }),
  refuse("unsupported--a-sparse-map", /link, a device or a sparse map/, {
    more: [{ name: "x", type: "x", content: paxRecord("GNU.sparse.size", "1") }, { name: "y" }],
  }),
  refuse("unsupported--a-link", /member l is a link/, { more: [{ name: "l", type: "2" }] }),
  refuse("corrupt--a-folder-of-bytes", /folder f has 3 bytes/, {
    more: [{ name: "f/", type: "5", content: Buffer.from("abc") }],
  }),
  refuse("unsupported--a-name-that-leads-out", /"\.\.\/x" is a folder's/, { more: [{ name: "../x" }] }),
  refuse("unsupported--a-name-from-the-root", /"\/etc\/x" leads to another folder/, { more: [{ name: "/etc/x" }] }),
  refuse("unsupported--a-name-of-windows", /leads to another folder/, { more: [{ name: "..\\x" }] }),
  refuse("unsupported--two-of-one-name", /two of its members are called a/, { more: [{ name: "a" }, { name: "./a" }] }),
  refuse("unsupported--thousands-of-headers", /more than 2000 headers/, {
    more: Array.from({ length: 2000 }, (_, at) => ({ name: `${at}` })),
  }),
  refuse("corrupt--other-bytes-than-the-manifest-says", /disk\.vmdk has sha256 .* manifest box\.mf says/, {
    manifest: "SHA256",
  }, inDisk(100, [1])),
  refuse("corrupt--a-descriptor-that-the-manifest-contradicts", /box\.ovf has sha1 .* manifest box\.mf says/, {
    manifest: "SHA1",
    order: ["mf", "disk", "ovf"],
  }, (bytes) => bytes.write("C", bytes.indexOf("A &amp; B"))),
  refuse("corrupt--a-manifest-of-what-is-not-there", /names c\.vmdk, which isn't in it/, {
    manifestText: `SHA256(c.vmdk)= ${"0".repeat(64)}\n`,
  }),
  refuse("corrupt--a-manifest-of-a-short-digest", /Line 2 of its manifest box\.mf is no digest/, {
    manifestText: "\nSHA256(disk.vmdk)= 00\n",
  }),
  refuse("corrupt--a-manifest-of-2-MiB", /manifest box\.mf is larger than 1 MiB/, { manifestText: "\n".repeat(2 ** 20 + 1) }),
];

export const ovaCases: readonly CorpusCase[] = [...accepted, ...refused];
