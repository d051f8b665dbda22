/** The active disk's plain clusters in the order in which they lie in the file: what may be stored compressed. */

import { alignUp } from "../../../bytes/align.ts";
import { ExtentState, type ExtentTable } from "../../../image/extent.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";

export interface PlainRun {
  readonly hostOffset: number;
  readonly guestOffset: number;
  readonly clusterCount: number;
}

/** Side by side in file and guest, up to `maxBytes`; `isAlone` tells the clusters that one entry alone points at. */
export function* plainRuns(
  mapping: ExtentTable,
  { clusterSize, hasSubclusters }: Pick<Qcow2Geometry, "clusterSize" | "hasSubclusters">,
  maxBytes: number,
  isAlone: (cluster: number) => boolean,
): Generator<PlainRun> {
  const most = Math.max(1, Math.floor(maxBytes / clusterSize));
  for (const row of rowsByHost(mapping)) {
    const rowStart = mapping.guestOffset[row] as number;
    const guestOffset = alignUp(rowStart, clusterSize);
    const hostOffset = (mapping.hostOffset[row] as number) + guestOffset - rowStart;
    const clusters = (rowStart + (mapping.length[row] as number) - guestOffset) / clusterSize;
    // Of clusters with subclusters those that are data in all of them, behind the disk's end too.
    const count = hasSubclusters ? Math.floor(clusters) : Math.ceil(clusters);
    const first = hostOffset / clusterSize;
    for (let start = 0; start < count; ) {
      let end = start;
      while (end < count && end - start < most && isAlone(first + end)) end++;
      if (end > start) {
        const skip = start * clusterSize;
        yield { hostOffset: hostOffset + skip, guestOffset: guestOffset + skip, clusterCount: end - start };
      }
      start = Math.max(end, start + 1);
    }
  }
}

function rowsByHost({ count, state, hostOffset }: ExtentTable): Uint32Array {
  const rows = new Uint32Array(count);
  let found = 0;
  for (let row = 0; row < count; row++) if (state[row] === ExtentState.data) rows[found++] = row;
  const place = (row: number) => hostOffset[row] as number;
  return rows.subarray(0, found).sort((a, b) => place(a) - place(b));
}
