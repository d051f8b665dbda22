/** What somebody wrote past an image's old end since: into a cluster that it pointed at already, so that no metadata tells. */

import { ceilDiv, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import type { Storage } from "../../storage/storage.ts";

/**
 * The length at which the file may be cut so that nothing is lost: `oldFileSize` where all that lies between it and
 * `end`, but for `ours`, reads as the zeros that were there, or where no `end` is known; else up to the last sector that
 * does not.
 */
export async function lengthToKeep(
  storage: Storage,
  oldFileSize: number,
  end: number | undefined,
  ours: RangeSet = new RangeSet(),
): Promise<number> {
  const limit = Math.min(end ?? oldFileSize, await storage.size());
  let keep = oldFileSize;
  for (const { start, end: gapEnd } of ours.gapsIn(oldFileSize, limit)) {
    for (let at = start; at < gapEnd; at += MiB) {
      const bytes = new Uint8Array(Math.min(MiB, gapEnd - at));
      const count = await storage.read(at, bytes);
      const last = bytes.subarray(0, count).findLastIndex((byte) => byte !== 0);
      if (last >= 0) keep = Math.min(ceilDiv(at + last + 1, SECTOR_SIZE) * SECTOR_SIZE, limit);
    }
  }
  return keep;
}
