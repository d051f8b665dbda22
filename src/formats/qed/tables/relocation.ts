/** Which data clusters move where when a file is settled: everything past a limit goes into holes below it. */

import type { Bitmap } from "../../../bytes/bitmap.ts";
import { ExtentState, type ExtentTable } from "../../../image/extent.ts";
import type { HostCopy } from "../../../image/write.ts";

/** Moves in guest order, in parallel columns. Addresses and counts in clusters. */
export interface Relocation {
  /** Data at or past this cluster moves, all other data stays. */
  readonly limit: number;
  readonly fromClusters: readonly number[];
  readonly toClusters: readonly number[];
  readonly counts: readonly number[];
  readonly movedCount: number;
}

/**
 * Gives each data cluster at or past `limit` a hole in [firstCluster, limit), both in ascending order, so that what
 * is contiguous for the guest stays so where the holes allow. The caller has made sure that the holes suffice.
 */
export function relocate(
  extents: ExtentTable,
  clusterSize: number,
  references: Bitmap,
  firstCluster: number,
  limit: number,
): Relocation {
  const fromClusters: number[] = [];
  const toClusters: number[] = [];
  const counts: number[] = [];
  let movedCount = 0;
  let hole = references.nextFree(firstCluster, limit);
  let holeEnd = references.nextMarked(hole, limit);
  for (let row = 0; row < extents.count; row++) {
    if (extents.state[row] !== ExtentState.data) continue;
    const hostCluster = (extents.hostOffset[row] as number) / clusterSize;
    const hostEnd = hostCluster + Math.ceil((extents.length[row] as number) / clusterSize);
    for (let from = Math.max(hostCluster, limit); from < hostEnd; ) {
      if (hole === holeEnd) {
        hole = references.nextFree(hole, limit);
        holeEnd = references.nextMarked(hole, limit);
        if (hole === limit) throw new RangeError("more data to move than holes to take it");
      }
      const count = Math.min(hostEnd - from, holeEnd - hole);
      fromClusters.push(from);
      toClusters.push(hole);
      counts.push(count);
      movedCount += count;
      from += count;
      hole += count;
    }
  }
  return { limit, fromClusters, toClusters, counts, movedCount };
}

/** One copy a move, made as they are asked for: a scattered image has very many. */
export function hostCopies(relocation: Relocation, clusterSize: number): Iterable<HostCopy> {
  const { fromClusters, toClusters, counts } = relocation;
  return {
    *[Symbol.iterator]() {
      for (let move = 0; move < counts.length; move++) {
        yield {
          fromHostOffset: (fromClusters[move] as number) * clusterSize,
          toHostOffset: (toClusters[move] as number) * clusterSize,
          length: (counts[move] as number) * clusterSize,
        };
      }
    },
  };
}
