/**
 * A qcow2's plain clusters as compressed ones, in place, in the order in which they lie in the file:
 *
 *   before   | header | a | b | c | d | e | f | tables |
 *   batch 1  | header | a | b | c | d | e | f | tables | a'b' |          a and b are free
 *   batch 2  | header | c'd'  | c | d | e | f | tables | a'b' | ...
 *   at last  | header | c'd' e'f' a'b'        | tables |                 the spares' streams come last
 *
 * A cluster that another entry points at too, a snapshot's above all, stays plain, and so does one whose stream is hardly
 * shorter. Streams of before stay where they are.
 */

import { KiB, MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { Bitmap } from "../../../bytes/bitmap.ts";
import type { CompressionMethod } from "../../../image/compression.ts";
import type { Encoder, EncodeStep, EncodeWishes } from "../../../image/encoder.ts";
import type { ExtentTable } from "../../../image/extent.ts";
import { DeflateTurns, deflateCluster } from "../../../image/guest/deflate.ts";
import { readAhead, Turns } from "../../../image/guest/read-ahead.ts";
import { readZeroFilled } from "../../../storage/storage.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { Batch, type Stream } from "./batch.ts";
import { CountedBatches, type EncoderFacts } from "./counted-batches.ts";
import { EntryPlaces } from "./entry-places.ts";
import { type PlainRun, plainRuns } from "./plain-clusters.ts";
import { sparePlaces } from "./spare-places.ts";
import { StreamPlaces } from "./stream-places.ts";

/** Plain bytes whose streams are made while the batch before them is written. */
const AHEAD_BYTES = 8 * MiB;
const MIN_RUNS_AHEAD = 3;
/** Clusters side by side are read together, up to this. */
const RUN_BYTES = 256 * KiB;

interface EncoderParts {
  readonly source: WalkSource;
  readonly mapping: ExtentTable;
  readonly wishes: EncodeWishes;
  readonly places: StreamPlaces;
  readonly entries: EntryPlaces;
  readonly batches: CountedBatches;
}

/** A stream behind the file's old end. */
type FarStream = Pick<Stream, "entry"> & { readonly hostOffset: number; readonly length: number };

export class Qcow2Encoder implements Encoder {
  readonly method: CompressionMethod;
  readonly unitSize: number;
  readonly plainBytes: number;
  readonly spareBytes: number;
  readonly #parts: EncoderParts;
  readonly #maxStream: number;
  /** Clusters that the file reaches to before the first batch. */
  readonly #oldEnd: number;
  readonly #far: FarStream[] = [];
  #lookedAt = 0;

  private constructor(parts: EncoderParts) {
    const { header, geometry } = parts.source;
    this.method = header.compression;
    this.unitSize = geometry.clusterSize;
    this.#parts = parts;
    // What saves no sector is not worth inflating.
    this.#maxStream = this.unitSize - Math.min(SECTOR_SIZE, this.unitSize / 8);
    this.#oldEnd = parts.batches.end;
    let plainClusters = 0;
    for (const { clusterCount } of this.#runs()) plainClusters += clusterCount;
    this.plainBytes = plainClusters * this.unitSize;
    this.spareBytes = Math.min(plainClusters, parts.places.available.markedCount) * this.unitSize;
  }

  /** Of an image whose check found nothing but leaks; `source.tally` has counted all of it. */
  static async open(source: WalkSource, facts: EncoderFacts, wishes: EncodeWishes): Promise<Qcow2Encoder> {
    const { clusterSize } = source.geometry;
    const spares = sparePlaces(source, facts.blocks, Math.floor(wishes.maxBatchBytes / clusterSize));
    const { available, placeCount } = spares;
    const places = new StreamPlaces(available, placeCount, clusterSize);
    const entries = await EntryPlaces.read(source);
    const batches = await CountedBatches.open(source, facts, spares, new Bitmap(placeCount));
    return new Qcow2Encoder({ source, mapping: facts.mapping, wishes, places, entries, batches });
  }

  async *steps(): AsyncGenerator<EncodeStep, void, void> {
    const { wishes, source, entries, batches } = this.#parts;
    const turns = new DeflateTurns();
    const mayStop = new Turns(wishes.signal, `compress ${source.storage.path}`);
    const maxUnits = Math.max(1, Math.floor(wishes.maxBatchBytes / this.unitSize));
    const depth = Math.max(MIN_RUNS_AHEAD, Math.floor(AHEAD_BYTES / Math.max(RUN_BYTES, this.unitSize)));
    let batch = this.#newBatch();
    for await (const { job, result } of readAhead(this.#runs(), depth, (run) => this.#deflate(run, turns))) {
      await mayStop.yield();
      for (const [index, bytes] of result.entries()) {
        this.#lookedAt += this.unitSize;
        const from = job.hostOffset + index * this.unitSize;
        if (bytes === undefined || (await batches.counts.get(from / this.unitSize)) !== 1) continue;
        const stream = {
          from,
          fromLength: undefined,
          entry: entries.of(job.guestOffset + index * this.unitSize),
          bytes,
        };
        if (batch.streams.length < maxUnits && this.#add(batch, stream)) continue;
        yield* this.#perform(batch);
        batch = this.#newBatch();
        // Clusters have been left since, more than streams took.
        if (!this.#add(batch, stream)) throw new RangeError(`no place is free for a stream of ${bytes.length} bytes`);
      }
    }
    yield* this.#perform(batch);
    const back = await this.#bringingBack();
    if (back !== undefined) {
      yield* this.#perform(back);
      this.#parts.batches.end = this.#oldEnd;
    }
    yield* this.#perform(this.#newBatch());
  }

  #runs(): Generator<PlainRun> {
    const { mapping, source } = this.#parts;
    const { all } = source.tally;
    return plainRuns(mapping, source.geometry, RUN_BYTES, (cluster) => all.get(cluster) === 1);
  }

  /** The stream of each of its clusters; undefined where it is not short enough. */
  #deflate({ hostOffset, clusterCount }: PlainRun, turns: DeflateTurns): Promise<(Uint8Array | undefined)[]> {
    return turns.take(async () => {
      const plain = await readZeroFilled(this.#parts.source.storage, hostOffset, clusterCount * this.unitSize);
      const streams: (Uint8Array | undefined)[] = [];
      for (let start = 0; start < plain.length; start += this.unitSize) {
        const stream = await deflateCluster(this.method, plain.subarray(start, start + this.unitSize));
        streams.push(stream.length <= this.#maxStream ? stream : undefined);
      }
      return streams;
    });
  }

  #newBatch(): Batch {
    this.#parts.places.seal();
    return new Batch(this.unitSize);
  }

  /** False where no place is left below `limit`. */
  #add(batch: Batch, stream: Stream, limit?: number): boolean {
    const to = this.#parts.places.take(stream.bytes.length, limit);
    if (to !== undefined) batch.put({ ...stream, to });
    return to !== undefined;
  }

  /** Streams behind the old end to what has become free before it: all of them, or it is not worth it. */
  async #bringingBack(): Promise<Batch | undefined> {
    const { storage } = this.#parts.source;
    const batch = this.#newBatch();
    const limit = this.#oldEnd * this.unitSize;
    for (const { entry, hostOffset, length } of this.#far) {
      const bytes = await readZeroFilled(storage, hostOffset, length);
      if (!this.#add(batch, { from: hostOffset, fromLength: length, entry, bytes }, limit)) return undefined;
    }
    return batch;
  }

  /** Both epochs of it, and the model as it is once they are durable. */
  async *#perform(batch: Batch): AsyncGenerator<EncodeStep, void, void> {
    const { places, batches } = this.#parts;
    yield* batches.perform(batch, this.#lookedAt);
    const oldEnd = this.#oldEnd * this.unitSize;
    for (const { from, fromLength, entry, to, bytes } of batch.streams) {
      if (fromLength === undefined) places.give(from / this.unitSize);
      if (to + bytes.length > oldEnd) this.#far.push({ entry, hostOffset: to, length: bytes.length });
    }
  }
}
