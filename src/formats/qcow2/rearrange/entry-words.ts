/**
 * L2 entries that point at streams instead of plain clusters, or at nothing: read from the live tables, compared with what
 * they held, and written anew (docs/interop/qcow2.txt, "L2 table entry", "Extended L2 Entries"). One of 16 bytes lies in one
 * sector too.
 */

import { KiB } from "../../../bytes/align.ts";
import { hex } from "../../../bytes/image-error.ts";
import type { Write } from "../../../image/write.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import { encodeL2Entry, type L2Entry, L2Mask, parseL2Entry } from "../tables/l2-entry.ts";
import { cannotRearrange } from "./rearrange-error.ts";

const ALL = 0xffff_ffff;
/** Words that lie no further apart are read together. */
const MAX_GAP = 4 * KiB;
const MAX_READ = 256 * KiB;

export interface EntryChange {
  /** Of the entry itself. */
  readonly hostOffset: number;
  readonly from: number;
  /** Undefined where a plain cluster lies at `from`. */
  readonly fromLength: number | undefined;
  /** Undefined where it points at nothing from now on. */
  readonly to: number | undefined;
  readonly length: number;
  /** A whole cluster comes to lie at `to`, that nobody else points at; absent: a stream. */
  readonly isPlain?: boolean;
}

type EntryShape = Pick<Qcow2Geometry, "clusterBits" | "l2EntrySize">;

/** Each changed entry, ascending; neighbours in one write. */
export async function entryWrites(
  storage: Storage,
  geometry: EntryShape,
  changes: readonly EntryChange[],
): Promise<Write[]> {
  const { l2EntrySize } = geometry;
  const sorted = changes.toSorted((a, b) => a.hostOffset - b.hostOffset);
  const writes: Write[] = [];
  for (let first = 0; first < sorted.length; ) {
    const start = (sorted[first] as EntryChange).hostOffset;
    let end = start + l2EntrySize;
    let next = first + 1;
    for (; next < sorted.length; next++) {
      const { hostOffset } = sorted[next] as EntryChange;
      if (hostOffset - end > MAX_GAP || hostOffset + l2EntrySize - start > MAX_READ) break;
      end = hostOffset + l2EntrySize;
    }
    const bytes = await readZeroFilled(storage, start, end - start);
    const view = new DataView(bytes.buffer);
    for (let runStart = start; first < next; first++) {
      const change = sorted[first] as EntryChange;
      putEntry(storage, geometry, change, view, change.hostOffset - start);
      const runEnd = change.hostOffset + l2EntrySize;
      const following = sorted[first + 1]?.hostOffset;
      if (first + 1 < next && following === runEnd) continue;
      writes.push({ hostOffset: runStart, bytes: bytes.subarray(runStart - start, runEnd - start) });
      runStart = following ?? runEnd;
    }
  }
  return writes;
}

function putEntry(storage: Storage, geometry: EntryShape, change: EntryChange, view: DataView, at: number): void {
  const { clusterBits, l2EntrySize } = geometry;
  const [high, low] = [view.getUint32(at), view.getUint32(at + 4)];
  const hasParts = l2EntrySize > 8;
  // Of a cluster that becomes a stream all parts have to be data.
  const isWhole = !hasParts || change.to === undefined || change.fromLength !== undefined || isAllData(view, at);
  if (!isWhole || !isAsItWas(parseL2Entry({ high, low }, clusterBits), low, change)) {
    const because = `the entry at host offset ${hex(change.hostOffset)} does not point at ${hex(change.from)} any more`;
    throw cannotRearrange("changed-underneath", storage.path, because, { hostOffset: change.hostOffset });
  }
  const word = encodeL2Entry(entryOf(change), clusterBits);
  view.setUint32(at, word.high);
  view.setUint32(at + 4, word.low);
  if (hasParts) for (const half of [8, 12]) view.setUint32(at + half, 0);
}

function entryOf({ to: hostOffset, length: storedLength, isPlain }: EntryChange): L2Entry {
  if (hostOffset === undefined) return { kind: "unallocated" };
  return isPlain ? { kind: "data", hostOffset, copied: true } : { kind: "compressed", hostOffset, storedLength };
}

function isAllData(view: DataView, at: number): boolean {
  return view.getUint32(at + 8) === 0 && view.getUint32(at + 12) === ALL;
}

/** A plain cluster whose entry bears the zero flag reads as zeros, whatever lies there. */
function isAsItWas(entry: L2Entry, low: number, { from, fromLength }: EntryChange): boolean {
  if (fromLength !== undefined) return entry.kind === "compressed" && entry.hostOffset === from;
  return entry.kind === "data" && entry.hostOffset === from && (low & L2Mask.reservedLow) === 0;
}
