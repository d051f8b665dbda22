/** The streams between two barriers: where each goes, and how many touch each host cluster. */

import { alignUp, KiB } from "../../../bytes/align.ts";
import type { EncodedUnit } from "../../../image/encoder.ts";
import type { Write } from "../../../image/write.ts";
import type { EntryChange } from "../rearrange/entry-words.ts";

/** Written whole, so that nothing has to be read for it. */
const BLOCK = 4 * KiB;

export interface Stream {
  /** Where the plain cluster lies, or the stream that moves. */
  readonly from: number;
  /** Bytes of a stream that moves; undefined for a plain cluster. */
  readonly fromLength: number | undefined;
  /** Host offset of its L2 entry. */
  readonly entry: number;
  readonly bytes: Uint8Array;
  /** Bytes of a whole cluster that goes elsewhere as it is; absent: they are a stream. */
  readonly isPlain?: true;
  /** Of a stream that moves: other bytes that give the same. */
  readonly isRewrapped?: true;
  /** What is written right before it, and is none of it; absent: nothing. */
  readonly leadIn?: Uint8Array;
}

export interface PlacedStream extends Stream {
  readonly to: number;
}

export class Batch {
  readonly #clusterSize: number;
  readonly #streams: PlacedStream[] = [];

  constructor(clusterSize: number) {
    this.#clusterSize = clusterSize;
  }

  get streams(): readonly PlacedStream[] {
    return this.#streams;
  }

  put(stream: PlacedStream): void {
    this.#streams.push(stream);
  }

  /** How many of the streams touch each host cluster. */
  touched(): Map<number, number> {
    const counts = new Map<number, number>();
    for (const { to, bytes } of this.#streams) countClusters(counts, to, bytes.length, this.#clusterSize);
    return counts;
  }

  /** How many pointers less each host cluster has once the batch is done. */
  left(): Map<number, number> {
    const counts = new Map<number, number>();
    for (const { from, fromLength = this.#clusterSize } of this.#streams) {
      countClusters(counts, from, fromLength, this.#clusterSize);
    }
    return counts;
  }

  /** Streams one behind another in one write, filled up with zeros to whole blocks. */
  writes(): Write[] {
    const sorted = this.#streams.toSorted((a, b) => a.to - b.to);
    const writes: Write[] = [];
    for (let first = 0; first < sorted.length; ) {
      const start = startOf(sorted[first] as PlacedStream);
      let end = start;
      let next = first;
      for (let each = sorted[next]; each && startOf(each) === end; each = sorted[++next])
        end = each.to + each.bytes.length;
      const bytes = new Uint8Array(alignUp(end, Math.min(BLOCK, this.#clusterSize)) - start);
      for (; first < next; first++) {
        const stream = sorted[first] as PlacedStream;
        if (stream.leadIn) bytes.set(stream.leadIn, startOf(stream) - start);
        bytes.set(stream.bytes, stream.to - start);
      }
      writes.push({ hostOffset: start, bytes });
    }
    return writes;
  }

  units(): EncodedUnit[] {
    return this.#streams.map(({ from, fromLength, to, bytes, isPlain, isRewrapped = false }) => ({
      from,
      fromLength: fromLength ?? this.#clusterSize,
      to,
      length: bytes.length,
      isNew: fromLength === undefined && !isPlain,
      isRewrapped,
      isInflated: fromLength !== undefined && isPlain === true,
    }));
  }

  changes(): EntryChange[] {
    return this.#streams.map(({ entry, from, fromLength, to, bytes, isPlain = false }) => ({
      hostOffset: entry,
      from,
      fromLength,
      to,
      length: bytes.length,
      isPlain,
    }));
  }
}

function startOf({ to, leadIn }: PlacedStream): number {
  return to - (leadIn?.length ?? 0);
}

function countClusters(counts: Map<number, number>, hostOffset: number, length: number, clusterSize: number): void {
  const last = Math.floor((hostOffset + length - 1) / clusterSize);
  for (let cluster = Math.floor(hostOffset / clusterSize); cluster <= last; cluster++) {
    counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  }
}
