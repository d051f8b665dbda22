/** Places of a file that nothing of its image lies in, byte by byte. */

import { alignUp } from "../bytes/align.ts";
import { RangeSet } from "../bytes/range-set.ts";
import { ExtentState, type ExtentTable, eachExtent } from "../image/extent.ts";

/** Tells whether host bytes [start, end) are nobody's. Data is its cluster's own up to the cluster's end. */
export type IsNobodys = (start: number, end: number) => boolean;

export function nobodysPlaces(mapping: ExtentTable, metadata: RangeSet, clusterSize: number): IsNobodys {
  const live = new RangeSet();
  live.addAll(metadata);
  for (const { state, guestOffset, hostOffset, length, storedLength } of eachExtent(mapping)) {
    if (state === ExtentState.data)
      live.add(hostOffset, hostOffset + alignUp(guestOffset + length, clusterSize) - guestOffset);
    if (state === ExtentState.compressed) live.add(hostOffset, hostOffset + storedLength);
  }
  return (start, end) => !live.intersects(start, end);
}
