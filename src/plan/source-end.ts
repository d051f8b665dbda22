/**
 * Where the places that a source points at end. A file may end inside its last cluster, whose rest reads as zeros and
 * comes alive with the first byte that a guest writes there: so nothing new may lie below the end of that cluster.
 *
 *   | cluster | cluster | clus              |  copies, new tables
 *                            ^ end of file  ^ end of the source
 */

import { alignUp, SECTOR_SIZE } from "../bytes/align.ts";
import type { RangeSet } from "../bytes/range-set.ts";
import { ExtentState, type ExtentTable } from "../image/extent.ts";
import type { ConversionOptions } from "../image/source.ts";

/** What a file of the format ends in whole ones of: behind a sector of its own at the end nothing comes alive. */
export function endUnitOf({ clusterSize, footer }: Pick<ConversionOptions, "clusterSize" | "footer">): number {
  return footer === undefined ? clusterSize : SECTOR_SIZE;
}

/**
 * One past the last byte of the last cluster that holds data or metadata, or that the file ends inside: `setmap` plans
 * with a mapping that does without a cluster which is the guest's until the commit.
 */
export function sourceEndOf(
  mapping: ExtentTable,
  metadata: RangeSet,
  options: Pick<ConversionOptions, "clusterSize" | "footer">,
  fileSize: number,
): number {
  const unit = endUnitOf(options);
  let end = alignUp(metadata.end, unit);
  for (let row = 0; row < mapping.count; row++) {
    const hostOffset = mapping.hostOffset[row] as number;
    if (hostOffset < 0) continue;
    if (mapping.state[row] === ExtentState.compressed) {
      end = Math.max(end, hostOffset + (mapping.storedLength[row] as number));
      continue;
    }
    // A row may begin inside a cluster, whose end follows from the guest's side.
    const guestOffset = mapping.guestOffset[row] as number;
    const guestEnd = alignUp(guestOffset + (mapping.length[row] as number), unit);
    end = Math.max(end, hostOffset + guestEnd - guestOffset);
  }
  return Math.max(end, alignUp(fileSize, unit));
}
