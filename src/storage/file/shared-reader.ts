/** Reading a shared file on whichever thread, blocking: the same bytes as an `OverlayStorage` of the same pieces shows. */

import { endOfPieces, piecesIn, type SharedFile } from "../shared-file.ts";
import { readDescriptor } from "./descriptor.ts";

/** As `readDescriptor`. What a piece covers is not read, and need not be readable. */
export function readShared(
  { path, descriptor, pieces, size }: SharedFile,
  hostOffset: number,
  into: Uint8Array,
): number {
  const end = hostOffset + into.length;
  const limit = size === undefined ? end : Math.max(hostOffset, Math.min(end, size));
  let at = hostOffset;
  let there = hostOffset;
  const readUpTo = (to: number) => {
    const gap = into.subarray(at - hostOffset, to - hostOffset);
    const count = descriptor === undefined ? 0 : readDescriptor(descriptor, at, gap, path);
    gap.fill(0, count);
    there = at + count;
  };
  for (const piece of piecesIn(pieces, hostOffset, limit)) {
    const from = Math.max(piece.hostOffset, hostOffset);
    const to = Math.min(piece.hostOffset + piece.bytes.length, limit);
    if (from > at) readUpTo(from);
    into.set(piece.bytes.subarray(from - piece.hostOffset, to - piece.hostOffset), from - hostOffset);
    at = to;
  }
  if (limit > at) readUpTo(limit);
  const readEnd = size === undefined ? Math.min(end, Math.max(there, endOfPieces(pieces))) : limit;
  return Math.max(0, readEnd - hostOffset);
}
