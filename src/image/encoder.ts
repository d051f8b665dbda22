/**
 * Plain units stored compressed: a format's part of a rearrangement with the goal `encode`.
 *
 *   streams, counts | entries | streams, counts | entries | ... | counts      each bar a barrier (a sync)
 *
 * After each barrier the file is a whole image with the same guest, at worst with leaks. Streams go where nothing lay at
 * the last barrier: those of the first batch into spares, the others where the plain units of the batches before lay.
 */

import type { RangeSet } from "../bytes/range-set.ts";
import type { CompressionMethod } from "./compression.ts";
import type { PackForm } from "./pack-form.ts";
import type { TidyStep } from "./rearranger.ts";
import type { Write } from "./write.ts";

/** One compressed unit on its way from `from` to `to`, both in bytes of the file. */
export interface EncodedUnit {
  readonly from: number;
  /** Of what lies there: a whole plain unit, or the stream that moves. */
  readonly fromLength: number;
  readonly to: number;
  readonly length: number;
  /** A plain unit becomes a stream; else what lies there is copied as it is. */
  readonly isNew: boolean;
  /** A stream that is copied is not the same to the byte: what it gives is. */
  readonly isRewrapped: boolean;
  /** A stream becomes what it gives. */
  readonly isInflated: boolean;
}

export interface EncodedBatch {
  /** Plain bytes looked at so far, encoded or not. */
  readonly bytesLookedAt: number;
  readonly units: readonly EncodedUnit[];
  /** The streams, and the counts of the places that they go to and of those that earlier batches have left; ascending. */
  readonly writes: readonly Write[];
  /** Places that nobody points at since the last barrier, to be given back where the host can; nothing where absent. */
  readonly left?: RangeSet;
  /** The file's length behind `writes`. */
  readonly fileSize: number;
  /**
   * The pointers, to be asked for once `writes` are durable. Throws ImageError `changed-underneath` where a table does not
   * hold the pointer that it held when the image was opened.
   */
  repoint(): Promise<readonly Write[]>;
}

export type EncodeStep = { readonly beforehand: TidyStep } | { readonly batch: EncodedBatch };

export interface EncodeWishes {
  /** Of plain units between two barriers, and of all spares: what the file takes more for a while. */
  readonly maxBatchBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Of units that are brought, compressed, to where a form wants them. */
export interface PackWishes extends EncodeWishes {
  readonly form: PackForm;
}

/** It reads the live tables and never writes: what it answers are values. */
export interface Encoder {
  readonly method: CompressionMethod;
  readonly unitSize: number;
  /** Plain bytes that are looked at. */
  readonly plainBytes: number;
  /** The places that streams take at first: what the file takes more for a while. */
  readonly spareBytes: number;
  /**
   * Each is performed, all of it durable, before the next is asked for; none where nothing gets shorter. What has to be
   * durable before the first batch comes first.
   */
  steps(): AsyncGenerator<EncodeStep, void, void>;
}
