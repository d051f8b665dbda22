/** What a converted qcow2 still holds of its old format: bytes of the header cluster behind the new header. */

import { NO_REARRANGEMENT, type Rearrangement, type Write } from "../../image/write.ts";
import { readZeroFilled, type Storage } from "../../storage/storage.ts";
import type { Qcow2Header } from "./header.ts";

/**
 * One epoch that zeroes what the header cluster holds beside header, extensions and names; none where it is zero
 * already. Only whole runs of stale bytes are written, so the header itself is not touched.
 */
export async function planHeaderSettling(
  storage: Storage,
  header: Qcow2Header,
  fileSize: number,
): Promise<Rearrangement> {
  const clusterEnd = Math.min(header.clusterSize, fileSize);
  const cluster = await readZeroFilled(storage, 0, clusterEnd);
  const writes: Write[] = [];
  for (const { start, end } of header.usedRanges.gapsIn(0, clusterEnd)) {
    const stale = cluster.subarray(start, end);
    if (stale.some((byte) => byte !== 0)) writes.push({ hostOffset: start, bytes: new Uint8Array(end - start) });
  }
  if (writes.length === 0) return { ...NO_REARRANGEMENT, fileSize };
  return {
    epochs: [{ purpose: "zero the stale header bytes", repoints: true, writes: () => writes }],
    fileSize,
    bytesMoved: 0,
    bytesWritten: writes.reduce((sum, { bytes }) => sum + bytes.length, 0),
  };
}
