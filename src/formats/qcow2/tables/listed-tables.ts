/** The L2 tables of one L1 table as it lists them, each time they are listed: the order in which qemu-img looks. */

import { readTables } from "../../../image/table-reader.ts";
import { type L1Place, l1Entries, readL1Bytes, type StoredL1Entry } from "./l1-table.ts";
import type { WalkSource } from "./table-walk.ts";

export interface ListedTable {
  readonly entry: StoredL1Entry;
  /** Undefined where it lies outside the file or is not wanted; valid until the next one is asked for. */
  readonly table: Uint8Array | undefined;
}

/** Reads ahead, so `place` must have been bounded. */
export async function* listedTables(
  { storage, geometry, tally }: WalkSource,
  place: Pick<L1Place, "hostOffset" | "entryCount">,
  isWanted: (entry: StoredL1Entry) => boolean = () => true,
): AsyncGenerator<ListedTable> {
  const { clusterSize } = geometry;
  const l1 = await readL1Bytes(storage, geometry, place);
  const isRead = (entry: StoredL1Entry) => tally.isInside(entry.hostOffset, clusterSize) && isWanted(entry);
  const hostOffsets = new Float64Array(l1.byteLength / 8);
  let count = 0;
  for (const entry of l1Entries(l1)) if (isRead(entry)) hostOffsets[count++] = entry.hostOffset;
  const batches = readTables(storage, hostOffsets.subarray(0, count), clusterSize);
  let batch = await batches.next();
  let at = 0;
  for (const entry of l1Entries(l1)) {
    if (!isRead(entry)) {
      yield { entry, table: undefined };
      continue;
    }
    while (!batch.done && at >= batch.value.first + batch.value.count) batch = await batches.next();
    if (batch.done) return;
    const start = entry.hostOffset - batch.value.hostOffset;
    at++;
    yield { entry, table: batch.value.bytes.subarray(start, start + clusterSize) };
  }
}
