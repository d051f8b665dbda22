/** What a converted qcow2 still holds of its old format: bytes of the header cluster behind the new header. */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import { type Epoch, NO_REARRANGEMENT, type Rearrangement, type Write } from "../../../image/write.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import { areZeros } from "../../../storage/zeros.ts";
import { autoclearWrite } from "../header/autoclear-write.ts";
import type { Qcow2Header } from "../header/header.ts";

/**
 * One epoch that zeroes what the header cluster holds beside header, extensions and names; none where it is zero
 * already. Only whole runs of stale bytes are written, so the header itself is not touched; but before them, as for every
 * writer, autoclear bits that we don't know go, in an epoch of their own.
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
    if (!areZeros(stale)) writes.push({ hostOffset: start, bytes: new Uint8Array(end - start) });
  }
  if (writes.length === 0) return { ...NO_REARRANGEMENT, fileSize };
  const epochs: Epoch[] = [{ purpose: "zero the stale header bytes", repoints: true, writes: () => writes }];
  const sector = clearedSector(cluster, header);
  if (sector !== undefined)
    epochs.unshift({ purpose: "clear what a write breaks", repoints: true, writes: () => [sector] });
  return {
    epochs,
    fileSize,
    bytesMoved: 0,
    bytesWritten: [...writes, ...(sector ? [sector] : [])].reduce((sum, { bytes }) => sum + bytes.length, 0),
  };
}

/** Sector 0 where somebody set autoclear bits since, which we don't know. */
function clearedSector(cluster: Uint8Array, { autoclear }: Qcow2Header): Write | undefined {
  const cleared = autoclearWrite(autoclear);
  if (cleared === undefined) return undefined;
  const bytes = cluster.slice(0, SECTOR_SIZE);
  bytes.set(cleared.bytes, cleared.hostOffset);
  return { hostOffset: 0, bytes };
}
