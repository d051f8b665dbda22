/**
 * Buffers for a moment, handed on from one to the next. A new one of a few hundred KiB costs as much as reading a file into
 * it, and the collector of memory a turn after every few.
 */

import { KiB, MiB } from "./align.ts";

const SHORTEST = 64 * KiB;
const LONGEST = MiB;
/** Of each length. */
const MOST_KEPT = 4;

const kept = new Map<number, Uint8Array<ArrayBuffer>[]>();

/** At least `length` bytes, whatever is in them. Whoever takes it gives it back once nothing reads or writes there any more. */
export function takeScratch(length: number): Uint8Array<ArrayBuffer> {
  if (length > LONGEST) return new Uint8Array(length);
  return kept.get(keptLength(length))?.pop() ?? new Uint8Array(keptLength(length));
}

/** Nothing, where there are enough of that length, or it is too long to be kept. */
export function giveScratchBack(buffer: Uint8Array<ArrayBuffer>): void {
  if (buffer.length > LONGEST) return;
  const others = kept.get(buffer.length);
  if (others === undefined) kept.set(buffer.length, [buffer]);
  else if (others.length < MOST_KEPT) others.push(buffer);
}

/** The power of two that `length` fits in. */
function keptLength(length: number): number {
  let size = SHORTEST;
  while (size < length) size *= 2;
  return size;
}
