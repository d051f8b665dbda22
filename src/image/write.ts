/** What drivers and planners return instead of writing: values that `execute` alone performs. */

import type { RangeSet } from "../bytes/range-set.ts";
import type { FileCopy } from "../storage/storage.ts";

/** Bytes for one place in the file. */
export interface Write {
  readonly hostOffset: number;
  readonly bytes: Uint8Array;
}

/**
 * Where a large table's bytes are made: zeroed memory of that length, fresh or taken back from a write that is done with.
 * Who asks for it hands it over in a write before asking again.
 */
export type Chunk = (length: number) => Uint8Array;

export const freshChunk: Chunk = (length) => new Uint8Array(length);

/** A byte-for-byte copy inside the file. */
export type HostCopy = FileCopy;

/**
 * Guest bytes to be read through the source and stored at `hostOffset`. `length` is whole units of the target; what
 * lies past the disk's end is stored as zeros.
 */
export interface GuestCopy {
  readonly guestOffset: number;
  readonly hostOffset: number;
  readonly length: number;
}

/**
 * Everything between two barriers (syncs): performed in any order by the medium, so no write of an epoch may depend
 * on another of the same epoch, and none may touch a place that was live when the epoch began (a place is
 * written only if it was free at the last barrier), but for pointers, whose sectors are valid old and new.
 */
export interface Epoch {
  /** For progress and the journal, e.g. `copy data into the holes`. */
  readonly purpose: string;
  /**
   * True where the epoch decides what the image shows, by a new header or other pointers in live tables: then its
   * `writes` are few enough to be held in memory, and the image is verified with them before they are written.
   */
  readonly repoints?: boolean;
  /** Performed first. May be iterated more than once. */
  readonly hostCopies?: Iterable<HostCopy>;
  /** Performed next, in ascending order of host offsets. */
  readonly guestCopies?: readonly GuestCopy[];
  /**
   * Produced lazily and in order, so that large tables never lie in memory whole; the same at each call. Writes share no
   * bytes, but where who calls gives them their memory.
   */
  readonly writes?: (chunk?: Chunk) => Iterable<Write>;
  /** Places that nobody points at and that must read as zeros: given back to the host where it can take them. */
  readonly zeros?: RangeSet;
  /** The file's length at the end of the epoch. */
  readonly fileSize?: number;
}

/** A rearrangement inside one format: after each epoch's sync the file is a valid image with the same guest. */
export interface Rearrangement {
  readonly epochs: readonly Epoch[];
  readonly fileSize: number;
  /** Guest data bytes copied. */
  readonly bytesMoved: number;
  /** Metadata bytes written. */
  readonly bytesWritten: number;
}

export const NO_REARRANGEMENT: Rearrangement = { epochs: [], fileSize: Number.NaN, bytesMoved: 0, bytesWritten: 0 };
