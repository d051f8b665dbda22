/**
 * One unit as its form wants it: lead-in, raw deflate stream (RFC 1951), Adler-32 (RFC 1950), zeros up to the alignment. A
 * stream can be made longer by empty stored blocks before it, which give nothing.
 */

import { adler32 } from "../../../bytes/adler32.ts";
import { alignUp } from "../../../bytes/align.ts";
import { inflateWhole, zlibOf } from "../../../image/guest/deflate.ts";
import type { PackForm } from "../../../image/pack-form.ts";

const CHECKSUM_LENGTH = 4;
/** No last block, stored, of no bytes: padding to a byte, length, its complement (RFC 1951, 3.2.4). */
const EMPTY_BLOCK = Buffer.from([0, 0, 0, 0xff, 0xff]);

export interface Prepared {
  readonly raw: Uint8Array;
  readonly checksum: number;
}

export async function preparedFromPlain(plain: Uint8Array): Promise<Prepared> {
  return zlibOf(plain);
}

/** What a stream gives, and how long it is itself. Rejects where that is not `unitSize` bytes. */
export async function unitOfStream(stored: Uint8Array, unitSize: number): ReturnType<typeof inflateWhole> {
  const inflated = await inflateWhole(stored, unitSize);
  if (inflated.plain.length !== unitSize) throw new RangeError(`a stream gives ${inflated.plain.length} bytes`);
  return inflated;
}

/** `stored` may be longer than its stream. Rejects where that does not give `unitSize` bytes. */
export async function preparedFromStream(stored: Uint8Array, unitSize: number): Promise<Prepared> {
  const { plain, streamLength } = await unitOfStream(stored, unitSize);
  return { raw: stored.subarray(0, streamLength), checksum: adler32(plain) };
}

/** Of all that a unit takes, its lead-in too. */
export function wrappedLength({ raw }: Prepared, form: PackForm): number {
  return alignUp(form.leadInLength + raw.length + CHECKSUM_LENGTH, form.alignment);
}

/** `length`: at least `wrappedLength`, a multiple of the alignment. */
export function wrap(
  { raw, checksum }: Prepared,
  form: PackForm,
  guestOffset: number,
  length: number,
): { readonly leadIn: Uint8Array; readonly stream: Uint8Array } {
  const { leadInLength, alignment } = form;
  // The end of the stream has to lie in the last sector, by which readers find what follows.
  const lacking = length - alignment + 1 - (leadInLength + raw.length + CHECKSUM_LENGTH);
  const blocks = Math.max(0, Math.ceil(lacking / EMPTY_BLOCK.length));
  const stream = Buffer.alloc(length - leadInLength);
  for (let at = 0; at < blocks; at++) stream.set(EMPTY_BLOCK, at * EMPTY_BLOCK.length);
  const rawStart = blocks * EMPTY_BLOCK.length;
  stream.set(raw, rawStart);
  stream.writeUInt32BE(checksum, rawStart + raw.length);
  return { leadIn: form.leadIn(guestOffset, rawStart + raw.length), stream };
}
