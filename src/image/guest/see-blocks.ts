/** What a thread makes of the blocks that it has read: their digests, the zeros in them, or both. */

import { hashBlocks } from "./block-hash.ts";
import { BLOCK_SIZE } from "./block-work.ts";
import type { BlockTask, Seen } from "./hash-pool.ts";
import { zeroPieces } from "./zero-units.ts";

const NOTHING = new Uint8Array(0);

/** `bytes` are blocks without gaps; the last one may be shorter. */
export function seeBlocks(bytes: Uint8Array, { zeroGrain, isWithoutDigest }: BlockTask): Seen {
  const digests = isWithoutDigest ? NOTHING : hashBlocks(bytes);
  if (zeroGrain === undefined) return { digests };
  // Most blocks are zeros all over or have none of them: whole ones are looked at first.
  const pieces: number[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_SIZE) {
    const block = bytes.subarray(at, at + BLOCK_SIZE);
    const whole = zeroPieces(block, BLOCK_SIZE, at);
    pieces.push(...(whole.length > 0 ? whole : zeroPieces(block, zeroGrain, at)));
  }
  return { digests, zeros: Float64Array.from(pieces) };
}
