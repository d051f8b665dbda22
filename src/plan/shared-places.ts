/** Sources whose data can't be trusted to be the guest's alone: on metadata, or used twice. Refused, whatever is checked. */

import { alignDown, ceilDiv } from "../bytes/align.ts";
import { hex, ImageError } from "../bytes/image-error.ts";
import type { RangeSet } from "../bytes/range-set.ts";
import { placeAt, say, UNNAMED } from "../bytes/sentence.ts";
import type { ConversionOptions } from "../image/driver.ts";
import { ExtentState, type ExtentTable, NOWHERE } from "../image/extent.ts";

/** Subclusters of a cluster (qcow2, extended L2 entries): extents of one cluster are told apart by them. */
const SUBCLUSTER_COUNT = 32;
/** Places that are counted at most, in bits; a larger file is refused by the proof. */
const MAX_PLACES = 2 ** 32;

/**
 * Throws ImageError `corrupt` at the first data that lies on metadata, at a place that other data has, or in a cluster
 * that begins past the end of file (one that the file ends inside reads as zeros there).
 */
export function refuseSharedPlaces(
  { format, clusterSize, hasSubclusters }: ConversionOptions,
  mapping: ExtentTable,
  metadata: RangeSet,
  fileSize: number,
): void {
  const unit = hasSubclusters ? clusterSize / SUBCLUSTER_COUNT : clusterSize;
  const placeCount = ceilDiv(fileSize, unit) + SUBCLUSTER_COUNT;
  const taken = placeCount <= MAX_PLACES ? new Uint8Array(ceilDiv(placeCount, 8)) : undefined;
  for (let row = 0; row < mapping.count; row++) {
    const state = mapping.state[row];
    const guestOffset = mapping.guestOffset[row] as number;
    const hostOffset = mapping.hostOffset[row] as number;
    if (hostOffset === NOWHERE) continue;
    const isData = state === ExtentState.data;
    const isCompressed = state === ExtentState.compressed;
    const end = hostOffset + (isCompressed ? (mapping.storedLength[row] as number) : (mapping.length[row] as number));
    const refuse = (what: string): never => {
      throw new ImageError("corrupt", say`Cannot convert ${UNNAMED}${format}`, {
        because: say`the data of guest offset ${hex(guestOffset)} at host offset ${placeAt(hostOffset)} ${what}`,
        remedy: "repair it with qemu-img check -r all on a copy first",
        format,
        structure: "mapping",
        guestOffset,
        hostOffset,
        operation: "plan",
      });
    };
    const lastStart = isCompressed ? hostOffset : alignDown(end - 1, clusterSize);
    if (lastStart >= fileSize) refuse("lies past the end of the file");
    if (state === ExtentState.zero) continue;
    if (metadata.intersects(hostOffset, end)) refuse("lies on metadata");
    if (!isData || !taken) continue;
    for (let place = Math.floor(hostOffset / unit); place < Math.min(end / unit, placeCount); place++) {
      const bit = 1 << (place % 8);
      const byte = Math.floor(place / 8);
      if ((taken[byte] as number) & bit) refuse("is used twice");
      taken[byte] = (taken[byte] as number) | bit;
    }
  }
}
