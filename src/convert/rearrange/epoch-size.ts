/** How much is copied between two barriers: what copies take of the disk for a while, until their old places are given back. */

import { MiB } from "../../bytes/align.ts";
import type { Rearranger } from "../../image/rearranger.ts";
import type { Storage } from "../../storage/storage.ts";

/** Where nobody says how much it may be. */
const USUAL = 16 * MiB;
/** More saves no barrier that anybody would notice. */
const MOST = 256 * MiB;

/** `maxExtraSpace` in bytes, `Infinity` without a bound: then 16 MiB. Room that is allowed saves barriers. */
export function epochBytesFor(maxExtraSpace: number): number {
  return Math.min(Number.isFinite(maxExtraSpace) ? maxExtraSpace : USUAL, MOST);
}

/** Of moves into free places below the end to come: where these are no holes, copies take nothing that the file has not. */
export async function epochBytesInto(
  storage: Storage,
  { used, unitSize }: Rearranger,
  maxExtraSpace: number,
): Promise<number> {
  const allowed = epochBytesFor(maxExtraSpace);
  const data = await storage.dataRanges?.();
  if (data === undefined) return allowed;
  const end = used.markedCount;
  let holeBytes = 0;
  for (let from = used.nextFree(0, end); from < end && holeBytes <= allowed; ) {
    const to = used.nextMarked(from, end);
    holeBytes += (to - from) * unitSize;
    for (const part of data.within(from * unitSize, to * unitSize)) holeBytes -= part.end - part.start;
    from = used.nextFree(to, end);
  }
  return holeBytes <= allowed ? MOST : allowed;
}
