/** L1 tables, the active one and those of snapshots: their entries in typed columns (docs/interop/qcow2.txt). */

import { hex } from "../../bytes/image-error.ts";
import { readZeroFilled, type Storage } from "../../storage/storage.ts";
import type { Qcow2Geometry } from "./geometry.ts";
import type { ReferenceTally } from "./reference-tally.ts";
import { parseL1Entry } from "./table-entry.ts";

/** The L2 tables that one L1 table lists, in its order; columns are parallel. */
export interface L2List {
  readonly l1Index: Uint32Array;
  readonly hostOffset: Float64Array;
}

/** How an L1 table is to be read and named. */
export interface L1Place {
  readonly hostOffset: number;
  readonly entryCount: number;
  /** The active L1's COPIED flags are checked, those of snapshots mean nothing. */
  readonly isActive: boolean;
  /** `L1 table`, `L1 table of snapshot 1 (one)`. */
  readonly name: string;
}

/**
 * Reads an L1 table that the caller has bounded, counts its own clusters and one reference to each L2 table, and
 * lists the L2 tables that lie in the file.
 */
export async function readL1Table(
  storage: Storage,
  geometry: Qcow2Geometry,
  tally: ReferenceTally,
  { hostOffset, entryCount, isActive, name }: L1Place,
): Promise<L2List> {
  tally.countMetadata(hostOffset, entryCount * 8, name);
  const presentCount = Math.min(entryCount, Math.max(0, Math.ceil((geometry.hostEnd - hostOffset) / 8)));
  const bytes = await readZeroFilled(storage, presentCount === 0 ? 0 : hostOffset, presentCount * 8);
  const view = new DataView(bytes.buffer);
  const indexes = new Uint32Array(presentCount);
  const hostOffsets = new Float64Array(presentCount);
  let count = 0;
  for (let index = 0; index < presentCount; index++) {
    const high = view.getUint32(index * 8);
    const low = view.getUint32(index * 8 + 4);
    if ((high | low) === 0) continue;
    const entry = parseL1Entry(high, low);
    const defect = (kind: string, what: string) =>
      tally.corruption(() => ({
        kind,
        structure: name,
        hostOffset: hostOffset + index * 8,
        message: `Entry ${index} of the ${name}: ${what}`,
      }));
    if (entry.hasReservedBits) defect("reserved-bits", "reserved bits are set");
    // An entry with flags alone points at the header, and so QEMU counts it.
    if (entry.hostOffset % geometry.clusterSize !== 0) {
      defect("entry-unaligned", `host offset ${hex(entry.hostOffset)} is no multiple of the cluster size`);
    }
    if (!countL2Table(geometry, tally, entry.hostOffset, isActive, entry.copied, `L2 table ${index}`)) continue;
    indexes[count] = index;
    hostOffsets[count] = entry.hostOffset;
    count++;
  }
  return { l1Index: indexes.subarray(0, count), hostOffset: hostOffsets.subarray(0, count) };
}

function countL2Table(
  geometry: Qcow2Geometry,
  tally: ReferenceTally,
  hostOffset: number,
  isActive: boolean,
  isCopied: boolean,
  name: string,
): boolean {
  const { clusterSize } = geometry;
  const isInside = tally.count(hostOffset, clusterSize, name);
  const cluster = Math.floor(hostOffset / clusterSize);
  // QEMU looks at the flag of real tables alone, so not at that of entries with flags but no place.
  if (isInside && isActive && hostOffset > 0) (isCopied ? tally.copied : tally.uncopied).add(cluster);
  // What lies askew is read by itself and at once; counting it by its cluster would confuse it with its neighbours.
  const isAligned = hostOffset % clusterSize === 0;
  if (isInside && isAligned) (isActive ? tally.activeL2Tables : tally.inactiveL2Tables).add(cluster);
  if (!isInside && isActive && isCopied) {
    tally.corruption(() => ({
      kind: "copied-flag-mismatch",
      structure: name,
      hostOffset,
      refcount: 0,
      message: `COPIED flag of ${name} is set, but its refcount is 0`,
    }));
  }
  return isInside;
}
