/** VDI: one accepted for each thing that a header and a map can say, one refused for each rule, made byte by byte. */

import type { CorpusCase } from "../../corpus/case.ts";
import { type BuiltVdi, buildVdi, MiB, type VdiDescription } from "./builder.ts";

const PLAIN: VdiDescription = { virtualSize: 3 * MiB, data: [0, 2] };

const accept = (name: string, bytes: Uint8Array, qemu: CorpusCase["qemu"] = "opens"): CorpusCase => ({
  name: `accept/vdi/${name}`,
  bytes: Buffer.from(bytes),
  target: "qcow2",
  qemu,
});
const built = (description: VdiDescription) => buildVdi(description).bytes;
/** The plain image with one change; its map lies at 512, its first block at 1024. */
function changed(change: (bytes: Buffer, vdi: BuiltVdi) => Buffer | void): Buffer {
  const vdi = buildVdi(PLAIN);
  const bytes = Buffer.from(vdi.bytes);
  return change(bytes, vdi) ?? bytes;
}
const u32 = (hostOffset: number, value: number) => changed((bytes) => void bytes.writeUInt32LE(value, hostOffset));
const refuse = (
  name: string,
  qemu: CorpusCase["qemu"],
  says: RegExp,
  bytes: Buffer,
  more: Pick<CorpusCase, "format"> | Record<string, never> = {},
): CorpusCase => ({ name: `refuse/vdi/${name}`, target: "qcow2", qemu, says, bytes, ...more });

const beginning = (text: string) => changed((bytes) => void bytes.fill(0, 0, 64).write(text, 0, "latin1"));

export const vdiCases: readonly CorpusCase[] = [
  accept("plain", built(PLAIN)),
  accept("static", built({ ...PLAIN, data: [0, 1, 2], imageType: 2 })),
  accept("a-block-of-zeros", built({ ...PLAIN, zero: [1] })),
  accept("nothing-stored", built({ virtualSize: 5 * MiB })),
  accept("of-virtualbox", built({ ...PLAIN, headerSize: 400, dataOffset: MiB, text: "<<< Oracle VM VirtualBox Disk Image >>>\n" })),
  accept("no-text", built({ ...PLAIN, text: "" })),
  accept("a-comment", built({ ...PLAIN, comment: "of a machine" })),
  accept("flags", u32(80, 0x100)),
  accept("map-at-the-third-sector", built({ ...PLAIN, mapOffset: 1024 })),
  accept("odd-length", built({ ...PLAIN, virtualSize: 3 * MiB - 1000 - 1 })),
  accept("more-entries-than-the-disk-needs-and-a-tail", built({ ...PLAIN, moreEntries: 3, tail: 700 })),
  refuse("unsupported--version-1.0", "refuses", /version 1\.0 of its header is not 1\.1.*0x44/, u32(68, 0x10000)),
  refuse("unsupported--version-0.2", "refuses", /version 0\.2/, u32(68, 2)),
  refuse("unsupported--undo", "opens", /VDI image \(undo\).*another file.*0x4c.*clonemedium/, u32(76, 3)),
  refuse("unsupported--differencing", "opens", /VDI image \(differencing\)/, u32(76, 4)),
  ...[0, 5].map((type) => refuse(`corrupt--image-type-${type}`, "opens", /image type \d of its header is none of/, u32(76, type))),
  refuse("unsupported--linked", "refuses", /names a parent.*0x1a8/, u32(424, 1)),
  refuse("unsupported--a-parent", "refuses", /names a parent.*0x1b8/, u32(440, 1)),
  refuse("corrupt--header-too-short", "opens", /header of 383 bytes/, u32(72, 383)),
  refuse("corrupt--header-on-its-map", "opens", /header of 441 bytes and its block map at 0x200/, u32(72, 441)),
  refuse("corrupt--map-on-the-header", "opens", /block map at 0x0 do not fit/, u32(340, 0)),
  refuse("corrupt--map-unaligned", "refuses", /block map at 0x201 lies at no sector/, u32(340, 0x201)),
  refuse("out-of-bounds--map-past-the-end", "opens", /block map of 12 bytes at 0x7ffffe00 ends outside/, changed((bytes) => {
    bytes.writeUInt32LE(0x7ffffe00, 340);
    bytes.writeUInt32LE(0x80000000, 344);
  })),
  refuse("corrupt--data-unaligned", "refuses", /first block at 0x401 lies at no sector/, u32(344, 0x401)),
  refuse("corrupt--data-on-the-map", "opens", /first block at 0x200 lies on its block map/, u32(344, 0x200)),
  refuse("unsupported--sectors-of-4096", "refuses", /sectors of 4096 bytes/, u32(360, 4096)),
  refuse("unsupported--blocks-of-2-mib", "refuses", /blocks of 2097152 bytes.*0x178/, u32(376, 2 * MiB)),
  refuse("unsupported--block-extra", "opens", /blocks have 512 bytes before them.*0x17c/, u32(380, 512)),
  refuse("unsupported--too-many-blocks", "refuses", /536870911 blocks are more/, u32(384, 0x1fffffff)),
  refuse("corrupt--size-beyond-the-map", "refuses", /disk of 3145729 bytes is beyond what its 3 blocks hold/, changed((bytes) => void bytes.writeUInt32LE(3 * MiB + 1, 368))),
  refuse("corrupt--size-beyond-2-to-the-53", "refuses", /diskSize.*beyond 2\^53/, changed((bytes) => void bytes.writeBigUInt64LE(1n << 60n, 368))),
  refuse("corrupt--entry-beyond-all-blocks", "opens", /Entry 1 of the block map names block 3, of 3/, u32(516, 3)),
  refuse("corrupt--entry-minus-3", "opens", /names block 4294967293/, u32(516, 0xfffffffd)),
  refuse("corrupt--block-used-twice", "opens", /Entry 2 of the block map names block 0, which another/, u32(520, 0)),
  refuse("corrupt--block-past-the-allocated", "opens", /Entry 2 of the block map names block 2, though only 2/, changed((bytes, vdi) => {
    bytes.writeUInt32LE(2, 520);
    return Buffer.concat([bytes, bytes.subarray(vdi.dataOffset + MiB)]);
  })),
  refuse("corrupt--fewer-allocated-than-said", "opens", /names 2 blocks, the header says 3/, u32(388, 3)),
  refuse("corrupt--more-allocated-than-said", "opens", /though only 1 are|names 2 blocks, the header says 1/, u32(388, 1)),
  refuse("corrupt--cut-inside-its-last-block", "opens", /block 1 at host offset 0x100400, which ends outside/, changed((bytes) => bytes.subarray(0, -1))),
  refuse("corrupt--cut-before-its-first-block", "opens", /block 0 at host offset 0x400, which ends outside/, changed((bytes) => bytes.subarray(0, 1024))),
  refuse("out-of-bounds--cut-inside-its-map", "opens", /ends outside the file/, changed((bytes) => bytes.subarray(0, 516))),
  refuse("out-of-bounds--cut-inside-its-header", "opens", /VDI header/, changed((bytes) => bytes.subarray(0, 400))),
  refuse("not-this-format--no-mark", "refuses", /does not bear the mark/, Buffer.alloc(4096, 1), { format: "vdi" }),
  refuse("unsupported--qcow2-and-vdi", "opens", /looks like qcow2 and vdi/, beginning("QFI\xfb\0\0\0\x03")),
  refuse("unsupported--vdi-and-bochs", "opens", /looks like vdi and bochs/, beginning("Bochs Virtual HD Image")),
  refuse("unsupported--vdi-and-a-boot-sector", "opens", /looks like vdi and a boot sector/, changed((bytes) => void bytes.set([0x55, 0xaa], 510))),
];
