/** Parallels: one accepted for each thing that a header and a BAT can say, one refused for each rule, made byte by byte. */

import type { CorpusCase } from "../../corpus/case.ts";
import { type BuiltParallels, buildParallels, dirtyBitmap, feature, type ParallelsDescription } from "./builder.ts";

const PLAIN: ParallelsDescription = { virtualSize: 40 * 4096, data: [0, 1, 5] };
const OLDER = { magic: "WithoutFreeSpace" } as const;
const BITMAP = dirtyBitmap(40 * 4096, 0xab);

const accept = (name: string, description: ParallelsDescription): CorpusCase => ({
  name: `accept/parallels/${name}`,
  bytes: Buffer.from(buildParallels(description).bytes),
  target: "qcow2",
  qemu: "opens",
});
/** The plain image with one change: its tracks lie at 4096, 8192 and 12288, where it ends. */
function changed(
  change: (bytes: Buffer, image: BuiltParallels) => Buffer | void,
  description: Partial<ParallelsDescription> = {},
): Buffer {
  const image = buildParallels({ ...PLAIN, ...description });
  const bytes = Buffer.from(image.bytes);
  return change(bytes, image) ?? bytes;
}
const u32 = (hostOffset: number, value: number, description: Partial<ParallelsDescription> = {}) =>
  changed((bytes) => void bytes.writeUInt32LE(value, hostOffset), description);
const refuse = (
  name: string,
  qemu: CorpusCase["qemu"],
  says: RegExp,
  bytes: Buffer,
  more: Pick<CorpusCase, "format"> | Record<string, never> = {},
): CorpusCase => ({ name: `refuse/parallels/${name}`, target: "qcow2", qemu, says, bytes, ...more });
const withExtension = (extension: Buffer) => changed(() => undefined, { extension });

export const parallelsCases: readonly CorpusCase[] = [
  accept("plain", PLAIN),
  accept("older-magic", { ...PLAIN, ...OLDER }),
  accept("older-magic-at-odd-sectors", { ...PLAIN, ...OLDER, shift: 3 }),
  accept("closed", { ...PLAIN, inUse: 0x312e3276 }),
  accept("nothing-stored", { virtualSize: 40 * 4096 }),
  accept("said-to-be-empty-and-empty", { virtualSize: 40 * 4096, flags: 1 }),
  accept("unknown-flags", { ...PLAIN, flags: 0xfe }),
  accept("leaks-at-its-end", { ...PLAIN, leaks: 2 }),
  accept("more-entries-than-the-disk-needs", { ...PLAIN, moreEntries: 4 }),
  accept("a-part-of-a-track-at-its-end", { ...PLAIN, virtualSize: 40 * 4096 - 1536, data: [0, 39], missing: 1536 }),
  accept("tracks-of-64-kib", { virtualSize: 10 * 65_536, trackSectors: 128, data: [0, 3, 9] }),
  accept("older-magic-and-tracks-of-64-kib", { ...OLDER, virtualSize: 10 * 65_536, trackSectors: 128, data: [0, 3, 9] }),
  accept("tracks-of-63-sectors", { virtualSize: 10 * 63 * 512, trackSectors: 63, data: [9, 0, 1, 4] }),
  accept("an-extension-of-nothing", { ...PLAIN, extension: Buffer.alloc(0) }),
  {
    name: "accept/parallels/older-magic-with-an-upper-half",
    bytes: u32(40, 1, OLDER),
    target: "qcow2",
    qemu: "opens",
  },
  refuse("unsupported--version-1", "refuses", /version 1 of its header is not 2.*0x10/, u32(16, 1)),
  refuse("corrupt--tracks-of-0-sectors", "refuses", /tracks have 0 sectors.*0x1c/, u32(28, 0)),
  refuse("unsupported--tracks-too-large", "refuses", /tracks of 4186128 sectors are larger/, u32(28, 4_186_128)),
  refuse("unsupported--too-many-tracks", "refuses", /4294967295 tracks are more/, u32(32, 0xffffffff)),
  refuse("corrupt--bat-too-short", "opens", /disk of 320 sectors is beyond what its 39 tracks hold.*0x24/, u32(32, 39)),
  refuse("corrupt--bat-of-nothing", "opens", /beyond what its 0 tracks hold/, u32(32, 0)),
  refuse("corrupt--size-beyond-the-bat", "opens", /disk of 4294967616 sectors/, u32(40, 1)),
  refuse("out-of-bounds--bat-past-the-end", "opens", /BAT of 1000000 entries ends outside/, u32(32, 1_000_000)),
  refuse("corrupt--in-use", "opens", /marked as in use.*check -r all/, u32(44, 0x746f6e59)),
  refuse("corrupt--in-use-says-something-else", "opens", /0x12345678 says neither/, u32(44, 0x12345678)),
  refuse("corrupt--said-to-be-empty-and-not", "opens", /said to be empty, and its BAT names 3 tracks/, u32(52, 1)),
  refuse("corrupt--entry-past-the-end", "opens", /Entry 1 of the BAT names host offset 0x5000, outside the file/, u32(68, 5)),
  refuse("corrupt--entry-far-beyond", "opens", /outside the file/, u32(68, 0xffffffff)),
  refuse("corrupt--entry-at-the-end", "opens", /Entry 1 .* 0x4000, and that track ends outside/, u32(68, 4)),
  refuse("corrupt--entries-that-are-one", "opens", /Two entries of the BAT name tracks that share bytes, from host offset 0x1000/, u32(68, 1)),
  refuse("corrupt--entries-that-overlap", "opens", /share bytes, from host offset 0x1e00/, u32(68, 15, OLDER)),
  refuse("corrupt--entry-on-the-header", "opens", /Entry 1 .*on the header or the BAT/, u32(68, 1, { ...OLDER, moreEntries: 300 })),
  refuse("corrupt--cut-inside-a-track", "opens", /Entry 5 .* 0x3000, and that track ends outside/, changed(() => undefined, { missing: 1 })),
  refuse("corrupt--cut-behind-its-bat", "opens", /outside the file/, changed((bytes) => bytes.subarray(0, 4096))),
  refuse("out-of-bounds--cut-inside-its-bat", "opens", /BAT of 40 entries ends outside/, changed((bytes) => bytes.subarray(0, 100))),
  refuse("out-of-bounds--cut-inside-its-header", "opens", /Parallels header/, changed((bytes) => bytes.subarray(0, 63))),
  refuse("unsupported--dirty-bitmaps", "opens", /keep the bitmaps (ab){16}: .*--drop bitmaps/, withExtension(BITMAP)),
  refuse("corrupt--extension-of-another-magic", "refuses", /extension at 0x4000 does not begin with its magic/, changed((bytes) => {
    bytes[0x4000] = 0;
  }, { extension: BITMAP })),
  refuse("corrupt--extension-of-another-checksum", "refuses", /checksum of its format extension at 0x4000 is wrong/, changed((bytes) => {
    bytes[0x4000 + 4095] = 1;
  }, { extension: BITMAP })),
  refuse("out-of-bounds--extension-past-the-end", "refuses", /extension at 0x8000000 ends outside/, u32(58, 4)),
  refuse("corrupt--size-of-the-extensions-place", "refuses", /extensionOffset.*beyond 2\^53/, u32(60, 0x80000000)),
  refuse("unsupported--unknown-feature", "refuses", /feature 0x1234 of its format extension/, withExtension(feature(0x1234n, 0, Buffer.alloc(8)))),
  refuse("unsupported--flagged-feature", "refuses", /feature 0x20385fae252cb34a with flags 0x1 /, withExtension(feature(0x20385fae252cb34an, 1, Buffer.alloc(40)))),
  refuse("corrupt--data-on-the-extension", "opens", /lies on metadata/, changed((bytes) => void bytes.writeUInt32LE(4, 68), { extension: Buffer.alloc(0) })),
  refuse("not-this-format--no-magic", "refuses", /does not begin with the magic/, Buffer.alloc(4096, 1), { format: "parallels" }),
  refuse("unsupported--parallels-and-vdi", "opens", /looks like vdi and parallels/, changed((bytes) => void bytes.writeUInt32LE(0xbeda107f, 64))),
];
