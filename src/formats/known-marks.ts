/**
 * Marks by which a file says what it is, though no driver of ours opens it: disk images of other formats, what images
 * are packed in, and what a download left in an image's place. Offsets and bytes are those of each format's own
 * specification.
 */

import type { Storage } from "../storage/storage.ts";

/** What to do about such a file; tried with real files where the tool is at hand (test/oracle/known-formats.test.ts). */
export type MarkAdvice = "qemu-img" | "medium" | "unpack" | "archive" | "encrypted" | "download" | "pointer";

export interface KnownMark {
  /** As it goes on after "it is". */
  readonly name: string;
  /** Negative: from the end of file. */
  readonly hostOffset: number;
  /** Latin-1; upper and lower case are the same, and space may come first, where `isText`. */
  readonly bytes: string;
  readonly isText?: true;
  readonly advice: MarkAdvice;
  /** qemu-img's name of a format, or the program that unpacks. */
  readonly tool?: string;
  /** Another format's header at byte 0 leaves room for it, so that one file could be two images. */
  readonly rival?: string;
}

const image = (tool: string, name: string, hostOffset: number, bytes: string): KnownMark => ({
  name,
  hostOffset,
  bytes,
  advice: "qemu-img",
  tool,
});
const packed = (tool: string, name: string, bytes: string): KnownMark => ({
  name,
  hostOffset: 0,
  bytes,
  advice: "unpack",
  tool,
});
const archive = (tool: string, name: string, hostOffset: number, bytes: string): KnownMark => ({
  name,
  hostOffset,
  bytes,
  advice: "archive",
  tool,
});
const text = (name: string, bytes: string, advice: MarkAdvice): KnownMark => ({
  name,
  hostOffset: 0,
  bytes,
  isText: true,
  advice,
});

/** In the order in which they are told: what lies at the end of a file counts only where nothing lies at its start. */
export const knownMarks: readonly KnownMark[] = [
  image("qcow", "a qcow image of version 1", 0, "QFI\xfb\0\0\0\x01"),
  image("vmdk", "a VMDK image (sparse)", 0, "KDMV"),
  image("vmdk", "a VMDK image (COWD, of ESX)", 0, "COWD"),
  image("vmdk", "the descriptor of a VMDK image, whose data lies in other files", 0, "# Disk DescriptorFile"),
  image("vhdx", "a VHDX image", 0, "vhdxfile"),
  image("parallels", "a Parallels image", 0, "WithoutFreeSpace"),
  image("parallels", "a Parallels image", 0, "WithouFreSpacExt"),
  image("vpc", "a VHD image (dynamic)", 0, "conectix"),
  image("bochs", "a Bochs image", 0, "Bochs Virtual HD Image"),
  { ...image("vdi", "a VDI image", 64, "\x7f\x10\xda\xbe"), rival: "vdi" },
  packed("gunzip", "packed by gzip", "\x1f\x8b\x08"),
  packed("unxz", "packed by xz", "\xfd7zXZ\0"),
  packed("unzstd", "packed by zstd", "\x28\xb5\x2f\xfd"),
  // The digits of pi begin a block, those of its square root an empty file.
  ...["1AY&SY", "\x17\x72\x45\x38\x50\x90"].flatMap((block) =>
    Array.from("123456789", (level) => packed("bunzip2", "packed by bzip2", `BZh${level}${block}`)),
  ),
  packed("unlz4", "packed by lz4", "\x04\x22\x4d\x18"),
  archive("unzip", "a zip archive", 0, "PK\x03\x04"),
  archive("unzip", "an empty zip archive", 0, "PK\x05\x06"),
  archive("7z x", "a 7z archive", 0, "7z\xbc\xaf\x27\x1c"),
  { ...archive("tar -xf", "a tar archive, as an OVA is", 257, "ustar\0"), rival: "tar" },
  { ...archive("tar -xf", "a tar archive, as an OVA is", 257, "ustar "), rival: "tar" },
  {
    name: "a LUKS volume, all of it encrypted",
    hostOffset: 0,
    bytes: "LUKS\xba\xbe",
    advice: "encrypted",
    tool: "luks",
  },
  text("a web page (HTML)", "<!doctype html", "download"),
  text("a web page (HTML)", "<html", "download"),
  text("an XML document", "<?xml", "download"),
  text("a Git LFS pointer", "version https://git-lfs.github.com/spec/", "pointer"),
  { name: "an ISO 9660 medium", hostOffset: 0x8001, bytes: "CD001", advice: "medium" },
  image("dmg", "a DMG image of macOS", -512, "koly"),
  { ...image("vpc", "a VHD image (fixed)", -512, "conectix"), rival: "vpc" },
  // Before Virtual PC 2004 the footer had a byte less.
  image("vpc", "a VHD image (fixed)", -511, "conectix"),
];

/** Covers every mark that counts from the start. */
const HEAD_SIZE = 0x8001 + 5;
/** Covers every mark that counts from the end. */
const TAIL_SIZE = 512;

/** The first mark of the table that the file bears. */
export async function findMark(storage: Storage): Promise<KnownMark | undefined> {
  const head = await latin1(storage, 0, HEAD_SIZE);
  const fileSize = await storage.size();
  const tail = fileSize < TAIL_SIZE ? "" : await latin1(storage, fileSize - TAIL_SIZE, TAIL_SIZE);
  return knownMarks.find((mark) => bears(mark, head, tail));
}

/** The names of other formats for which the file could be taken as well, though its header is one of ours. */
export async function findRivalMarks(storage: Storage): Promise<string[]> {
  const fileSize = await storage.size();
  const found: string[] = [];
  for (const { rival, hostOffset, bytes } of knownMarks) {
    const place = hostOffset < 0 ? fileSize + hostOffset : hostOffset;
    if (rival === undefined || place < 0) continue;
    if ((await latin1(storage, place, bytes.length)) === bytes) found.push(rival);
  }
  return found;
}

function bears({ hostOffset, bytes, isText }: KnownMark, head: string, tail: string): boolean {
  if (hostOffset < 0) return tail.startsWith(bytes, TAIL_SIZE + hostOffset);
  if (!isText) return head.startsWith(bytes, hostOffset);
  // A byte order mark, then space.
  const start = head.slice(0, 1024).replace(/^(?:\xef\xbb\xbf)?\s*/, "");
  return start.slice(0, bytes.length).toLowerCase() === bytes;
}

async function latin1(storage: Storage, hostOffset: number, length: number): Promise<string> {
  const bytes = Buffer.alloc(length);
  return bytes.toString("latin1", 0, await storage.read(hostOffset, bytes));
}
