/**
 * A flat VMDK as one run of bytes, for the suites that hold an image as one:
 *
 *   | the descriptor, zeros up to 1 KiB | the disk |
 */

import type { Storage } from "../../../src/storage/storage.ts";
import { type GuestContents, guestBytesOf } from "../guest-contents.ts";
import { buildDescriptor, flatExtent } from "./builder.ts";

export const TEXT_LENGTH = 1024;
/** As long as the names that the suites give their images. */
const DISK = "disk-flat.vmdk";

export function buildJoined(contents: GuestContents): Uint8Array {
  const disk = guestBytesOf(contents);
  const joined = new Uint8Array(TEXT_LENGTH + disk.length);
  joined.set(buildDescriptor({ extents: [flatExtent(DISK, disk.length / 512)] }));
  joined.set(disk, TEXT_LENGTH);
  return joined;
}

/** The disk's file, with its descriptor beside it. */
export function storageOfJoined(joined: Uint8Array): Storage {
  const disk = joined.subarray(TEXT_LENGTH);
  return {
    path: DISK,
    size: async () => disk.length,
    async read(hostOffset, into) {
      const found = disk.subarray(hostOffset, hostOffset + into.length);
      into.set(found);
      return found.length;
    },
    sidecar: async () => ({ name: "disk.vmdk", bytes: joined.subarray(0, TEXT_LENGTH) }),
    close: async () => {},
  };
}
