/** The sizes of a qcow2 image that every walk needs, derived once from its header. All in bytes unless named otherwise. */

import { alignUp, ceilDiv, SECTOR_SIZE } from "../../../bytes/align.ts";
import { bytesPerL2Table, l2EntrySize, type Qcow2Header } from "./header.ts";

export interface Qcow2Geometry {
  readonly clusterBits: number;
  readonly clusterSize: number;
  readonly virtualSize: number;
  /** 8, or 16 with subclusters. */
  readonly l2EntrySize: number;
  /** Entries of one L2 table. */
  readonly l2EntryCount: number;
  /** Guest bytes that one L2 table maps. */
  readonly bytesPerL2Table: number;
  readonly hasSubclusters: boolean;
  /** Version 2 knows no zero clusters. */
  readonly hasZeroFlag: boolean;
  /** The file's length in whole sectors: what lies past it belongs to no cluster. */
  readonly hostEnd: number;
  /** Host clusters, the last one perhaps cut short by the end of file. */
  readonly hostClusterCount: number;
}

export function geometryOf(header: Qcow2Header, fileSize: number): Qcow2Geometry {
  const { clusterBits, clusterSize, virtualSize, hasSubclusters, version } = header;
  const hostEnd = alignUp(fileSize, SECTOR_SIZE);
  return {
    clusterBits,
    clusterSize,
    virtualSize,
    l2EntrySize: l2EntrySize(hasSubclusters),
    l2EntryCount: clusterSize / l2EntrySize(hasSubclusters),
    bytesPerL2Table: bytesPerL2Table(clusterSize, hasSubclusters),
    hasSubclusters,
    hasZeroFlag: version >= 3,
    hostEnd,
    hostClusterCount: ceilDiv(hostEnd, clusterSize),
  };
}
