/** Every L2 table that the active L1 or a snapshot's lists, once, in the order in which they lie. */

import { readTables } from "../../../image/table-reader.ts";
import type { WalkSource } from "../tables/table-walk.ts";

/** Calls `use` with each, valid until it returns; `source.tally` has counted them. */
export async function eachL2Table(
  { storage, geometry, tally }: WalkSource,
  use: (table: DataView, hostOffset: number) => void,
): Promise<void> {
  const { clusterSize } = geometry;
  const places: number[] = [];
  for (const { cluster } of tally.activeL2Tables.each()) places.push(cluster * clusterSize);
  for (const { cluster } of tally.inactiveL2Tables.each()) {
    if (tally.activeL2Tables.get(cluster) === 0) places.push(cluster * clusterSize);
  }
  const hostOffsets = Float64Array.from(places).sort();
  for await (const batch of readTables(storage, hostOffsets, clusterSize)) {
    for (let at = batch.first; at < batch.first + batch.count; at++) {
      const hostOffset = hostOffsets[at] as number;
      const { buffer, byteOffset } = batch.bytes;
      use(new DataView(buffer, byteOffset + hostOffset - batch.hostOffset, clusterSize), hostOffset);
    }
  }
}
