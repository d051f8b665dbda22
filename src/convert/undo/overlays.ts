/** What a switch put into the file, and how to look at the source behind it. */

import { alignUp, SECTOR_SIZE } from "../../bytes/align.ts";
import type { Commit } from "../../image/target.ts";
import type { ConversionWork } from "../../journal/conversion-work.ts";
import { OverlayStorage } from "../../storage/overlay.ts";
import type { Storage } from "../../storage/storage.ts";

/**
 * The file as the source had it: the old sector under the commit, the old bytes under the extras, the old length. A cluster that the
 * old file ended inside is there whole, for a guest may have written to its rest since.
 */
export function behindCommit(
  storage: Storage,
  { savedHeader, extras, intent, commitHostOffset, oldSector, named, sector }: ConversionWork,
): Storage {
  const overlaid = extras.map(({ hostOffset, bytes }) => ({
    hostOffset,
    bytes: savedHeader.subarray(hostOffset, hostOffset + bytes.length),
  }));
  if (!named) overlaid.push({ hostOffset: commitHostOffset, bytes: oldSector });
  return new OverlayStorage(storage, overlaid, {
    size: Math.max(intent.oldFileSize, intent.sourceEnd ?? 0),
    ...(named && { sidecar: named.comes ? null : { name: named.name, bytes: sector } }),
  });
}

/** The file as the target will have it: the commit's sector over it. */
export function beyondCommit(
  storage: Storage,
  { kind, hostOffset, sector, named }: Pick<Commit, "kind" | "hostOffset" | "sector" | "named">,
  cutTo?: number,
): Storage {
  if (kind === "length") return cutAt(storage, hostOffset);
  if (named) {
    const sidecar = named.comes ? { name: named.name, bytes: sector } : null;
    return new OverlayStorage(storage, [], { sidecar });
  }
  const size = cutTo === undefined ? {} : { size: alignUp(cutTo, SECTOR_SIZE) };
  return new OverlayStorage(storage, [{ hostOffset, bytes: sector }], size);
}

/** The file at the length that it will be cut to, where that says how long the disk is: the last sector is there whole. */
export function cutAt(storage: Storage, cutTo: number | undefined): Storage {
  return cutTo === undefined ? storage : new OverlayStorage(storage, [], { size: alignUp(cutTo, SECTOR_SIZE) });
}
