/**
 * Marks of formats that another format's header leaves room for, so that one file can be two images.
 *
 * A stranger's file that we take for one format and the next program for another is how a guest reads its host's files
 * (CVE-2015-1851, CVE-2024-40767): such a file is opened only under the name that the user gives it.
 */

import type { Storage } from "../storage/storage.ts";

/** Where a format's mark lies; a negative place counts from the end of file. */
interface RivalMagic {
  readonly name: string;
  readonly hostOffset: number;
  readonly magic: readonly number[];
}

/** All others begin at byte 0, where there is room for one. */
const RIVALS: readonly RivalMagic[] = [
  { name: "vdi", hostOffset: 64, magic: [0x7f, 0x10, 0xda, 0xbe] },
  { name: "a boot sector", hostOffset: 510, magic: [0x55, 0xaa] },
  // `conectix`; VHD's footer is the last sector.
  { name: "vpc", hostOffset: -512, magic: [0x63, 0x6f, 0x6e, 0x65, 0x63, 0x74, 0x69, 0x78] },
];

/** Names of the formats besides the one that was found whose marks the file bears. */
export async function findRivals(storage: Storage): Promise<string[]> {
  const fileSize = await storage.size();
  const found: string[] = [];
  for (const { name, hostOffset, magic } of RIVALS) {
    const place = hostOffset < 0 ? fileSize + hostOffset : hostOffset;
    if (place < 0) continue;
    const bytes = new Uint8Array(magic.length);
    const count = await storage.read(place, bytes);
    if (count === magic.length && magic.every((byte, at) => bytes[at] === byte)) found.push(name);
  }
  return found;
}
