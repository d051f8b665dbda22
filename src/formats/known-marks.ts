/**
 * Marks by which a file says what it is, though no driver of ours opens it: disk images of other formats, what images
 * are packed in, and what a download left in an image's place. Offsets and bytes are those of each format's own
 * specification.
 */

import { formatDrivers } from "./drivers.ts";
import type { TextMark } from "./file-ends.ts";

/** What to do about such a file; tried with real files where the tool is at hand (test/oracle/known-formats.test.ts). */
export type MarkAdvice = "qemu-img" | "medium" | "unpack" | "archive" | "encrypted" | "download" | "pointer";

export interface KnownMark extends TextMark {
  /** As it goes on after "it is". */
  readonly name: string;
  readonly advice: MarkAdvice;
  /** qemu-img's name of a format, or the program that unpacks. */
  readonly tool?: string;
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
  image("vmdk", "a VMDK image (COWD, of ESX)", 0, "COWD"),
  image("bochs", "a Bochs image", 0, "Bochs Virtual HD Image"),
  // A shell's script that mounts what follows it.
  image("cloop", "a cloop image", 0, "#!/bin/sh\n#V2.0 Format\nmodprobe cloop "),
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
];

/** By a mark that a driver has a file is no stranger, whatever the table says of it; another kind of its format still is. */
export const strangers: readonly KnownMark[] = knownMarks.filter(
  ({ advice, hostOffset, bytes }) =>
    advice !== "qemu-img" ||
    !formatDrivers.some(({ marks }) => marks.some((mark) => mark.hostOffset === hostOffset && mark.bytes === bytes)),
);
