/**
 * L2 entries that point at streams instead of plain clusters: read from the live tables, compared with what they held,
 * and written anew (docs/interop/qcow2.txt, "L2 table entry").
 */

import { KiB } from "../../../bytes/align.ts";
import { hex } from "../../../bytes/image-error.ts";
import type { Write } from "../../../image/write.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import { cannotRearrange } from "../rearrange/rearrange-error.ts";
import { encodeL2Entry, type L2Entry, L2Mask, parseL2Entry } from "../tables/l2-entry.ts";

const WORD = 8;
/** Words that lie no further apart are read together. */
const MAX_GAP = 4 * KiB;
const MAX_READ = 256 * KiB;

export interface EntryChange {
  /** Of the entry itself. */
  readonly hostOffset: number;
  readonly from: number;
  /** Undefined where a plain cluster lies at `from`. */
  readonly fromLength: number | undefined;
  readonly to: number;
  readonly length: number;
}

/** Each changed entry, ascending; neighbours in one write. */
export async function entryWrites(
  storage: Storage,
  clusterBits: number,
  changes: readonly EntryChange[],
): Promise<Write[]> {
  const sorted = changes.toSorted((a, b) => a.hostOffset - b.hostOffset);
  const writes: Write[] = [];
  for (let first = 0; first < sorted.length; ) {
    const start = (sorted[first] as EntryChange).hostOffset;
    let end = start + WORD;
    let next = first + 1;
    for (; next < sorted.length; next++) {
      const { hostOffset } = sorted[next] as EntryChange;
      if (hostOffset - end > MAX_GAP || hostOffset + WORD - start > MAX_READ) break;
      end = hostOffset + WORD;
    }
    const bytes = await readZeroFilled(storage, start, end - start);
    const view = new DataView(bytes.buffer);
    for (let runStart = start; first < next; first++) {
      const change = sorted[first] as EntryChange;
      putEntry(storage, clusterBits, change, view, change.hostOffset - start);
      const runEnd = change.hostOffset + WORD;
      const following = sorted[first + 1]?.hostOffset;
      if (first + 1 < next && following === runEnd) continue;
      writes.push({ hostOffset: runStart, bytes: bytes.subarray(runStart - start, runEnd - start) });
      runStart = following ?? runEnd;
    }
  }
  return writes;
}

function putEntry(storage: Storage, clusterBits: number, change: EntryChange, view: DataView, at: number): void {
  const [high, low] = [view.getUint32(at), view.getUint32(at + 4)];
  if (!isAsItWas(parseL2Entry({ high, low }, clusterBits), low, change)) {
    const because = `the entry at host offset ${hex(change.hostOffset)} does not point at ${hex(change.from)} any more`;
    throw cannotRearrange("changed-underneath", storage.path, because, { hostOffset: change.hostOffset });
  }
  const entry: L2Entry = { kind: "compressed", hostOffset: change.to, storedLength: change.length };
  const word = encodeL2Entry(entry, clusterBits);
  view.setUint32(at, word.high);
  view.setUint32(at + 4, word.low);
}

/** A plain cluster whose entry bears the zero flag reads as zeros, whatever lies there. */
function isAsItWas(entry: L2Entry, low: number, { from, fromLength }: EntryChange): boolean {
  if (fromLength !== undefined) return entry.kind === "compressed" && entry.hostOffset === from;
  return entry.kind === "data" && entry.hostOffset === from && (low & L2Mask.reservedLow) === 0;
}
