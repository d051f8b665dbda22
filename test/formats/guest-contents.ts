/** What a guest's disk holds, said for every format in the same way. */

import { createHash } from "node:crypto";

/** Bytes of the pieces in which contents are told; a format's own clusters may be larger or smaller. */
export const BLOCK_SIZE = 4096;

export interface GuestContents {
  /** Bytes of the disk, a multiple of 512, at most 2 MiB. */
  readonly virtualSize: number;
  /** Blocks that hold data. */
  readonly data: readonly number[];
  /** Blocks that are said to be zeros, where the format can say it. */
  readonly zero?: readonly number[];
}

/** The disk's bytes. */
export function guestBytesOf({ virtualSize, data }: GuestContents): Uint8Array {
  const guest = new Uint8Array(Math.ceil(virtualSize / BLOCK_SIZE) * BLOCK_SIZE);
  for (const block of data) guest.set(clusterContent(block, BLOCK_SIZE), block * BLOCK_SIZE);
  return guest.slice(0, virtualSize);
}

/** Bytes that tell the cluster and the place in it, so that a misplaced one is seen. */
export function clusterContent(guestCluster: number, clusterSize: number, fill?: number): Uint8Array {
  if (fill !== undefined) return new Uint8Array(clusterSize).fill(fill);
  const content = new Uint8Array(clusterSize);
  const digest = createHash("sha256").update(`cluster ${guestCluster}`).digest();
  for (let at = 0; at < clusterSize; at++) content[at] = (digest[at % 32] as number) ^ (at >>> 9) ^ 0x5a;
  return content;
}
