/** A disk that its file holds in one piece, host = guest, as a source and as a target. */

import { KiB, SECTOR_SIZE } from "../bytes/align.ts";
import { RangeSet } from "../bytes/range-set.ts";
import type { Storage } from "../storage/storage.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "./extent.ts";
import { type ConversionOptions, DISK_ALONE } from "./source.ts";

/** A hole is zeros that have their place. Where the host tells of none, all is data. */
export async function linearMapping(storage: Storage, virtualSize: number): Promise<ExtentTable> {
  const data = (await storage.dataRanges?.()) ?? RangeSet.of({ start: 0, end: virtualSize });
  const extents = new ExtentTableBuilder();
  for (const { start, end } of data.clippedTo(0, virtualSize).each()) {
    extents.append(start - extents.end, ExtentState.zero, extents.end);
    extents.append(end - start, ExtentState.data, start);
  }
  extents.append(virtualSize - extents.end, ExtentState.zero, extents.end);
  return extents.finish(virtualSize);
}

/** There are no clusters; this is what a target takes as its default. */
export const LINEAR_CLUSTER_SIZE = 64 * KiB;

/** What is asked of every such source; each says what else there is. */
export function linearOptions(format: string, virtualSize: number, fileSize: number) {
  return {
    ...DISK_ALONE,
    format,
    virtualSize,
    clusterSize: LINEAR_CLUSTER_SIZE,
    clustersPerTable: 0,
    sharingSize: LINEAR_CLUSTER_SIZE,
    usedHeader: RangeSet.of({ start: 0, end: fileSize }),
    linearBase: 0,
  } as const satisfies ConversionOptions;
}

/** There is no allocation: every sector has its place. */
export const LINEAR_PLACEMENT = {
  unitSize: SECTOR_SIZE,
  hostAlignment: SECTOR_SIZE,
  reserved: new RangeSet(),
  linearBase: 0,
  hasZeroState: false,
  compressed: undefined,
} as const;
