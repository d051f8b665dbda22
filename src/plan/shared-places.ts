/** Sources whose data can't be trusted to be the guest's alone: on metadata, or used twice. Refused, whatever is checked. */

import { alignUp, ceilDiv } from "../bytes/align.ts";
import { Bitmap, MAX_BITS } from "../bytes/bitmap.ts";
import { hex, ImageError } from "../bytes/image-error.ts";
import type { RangeSet } from "../bytes/range-set.ts";
import { placeAt, say, UNNAMED } from "../bytes/sentence.ts";
import { ExtentState, type ExtentTable, NOWHERE } from "../image/extent.ts";
import type { ConversionOptions } from "../image/source.ts";

/**
 * Throws ImageError `corrupt` at the first data that lies on metadata, at a place that other data has, or in a cluster
 * that begins past the end of file (one that the file ends inside reads as zeros there).
 */
export function refuseSharedPlaces(
  {
    format,
    clusterSize,
    sharingSize: unit,
    linearBase,
  }: Pick<ConversionOptions, "format" | "clusterSize" | "sharingSize" | "linearBase">,
  mapping: ExtentTable,
  metadata: RangeSet,
  fileSize: number,
): void {
  // In one piece each byte has the one place that its address gives it.
  if (linearBase !== undefined) return;
  const placeCount = ceilDiv(fileSize, unit) + clusterSize / unit;
  // A larger file is refused by the proof.
  const taken = placeCount <= MAX_BITS ? new Bitmap(placeCount) : undefined;
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
    // Where clusters begin at any sector, which of them is the last follows from the guest's side.
    const guestEnd = guestOffset + (mapping.length[row] as number);
    const lastStart = isCompressed ? hostOffset : end + alignUp(guestEnd, clusterSize) - guestEnd - clusterSize;
    if (lastStart >= fileSize) refuse("lies past the end of the file");
    if (state === ExtentState.zero) continue;
    if (metadata.intersects(hostOffset, end)) refuse("lies on metadata");
    if (!isData || !taken) continue;
    const first = Math.floor(hostOffset / unit);
    if (taken.mark(first, Math.min(ceilDiv(end, unit), placeCount) - first) > 0) refuse("is used twice");
  }
}
