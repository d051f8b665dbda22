/**
 * A qcow2's units as compressed ones that lie one behind another in the guest's order, in place:
 *
 *   before   | header | c | a | - | b |      | spares | tables |
 *   evict    | header | - | - | - | b |      | c'a'   | tables |      what lies where the next shall go is stored elsewhere
 *   bring    | header | a'b'c'        |      |        | tables |      a stream that lies in the way moves, and is not made anew
 *   at last  | header | a'b'c' | what the form has behind them | tables |
 *
 * Each batch ends with a whole block, so that none is written to in which something lies; for that the last stream of it is
 * made a little longer.
 */

import { alignUp, KiB, MiB } from "../../../bytes/align.ts";
import { Bitmap } from "../../../bytes/bitmap.ts";
import { hex } from "../../../bytes/image-error.ts";
import type { Encoder, EncodeStep, PackWishes } from "../../../image/encoder.ts";
import { DeflateTurns } from "../../../image/guest/deflate.ts";
import { Turns } from "../../../image/guest/read-ahead.ts";
import { readZeroFilled } from "../../../storage/storage.ts";
import { Batch, type PlacedStream } from "../encode/batch.ts";
import { CountedBatches, type EncoderFacts } from "../encode/counted-batches.ts";
import { EntryPlaces } from "../encode/entry-places.ts";
import { sparePlaces } from "../encode/spare-places.ts";
import { cannotRearrange } from "../rearrange/rearrange-error.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { EvictionPlaces } from "./eviction-places.ts";
import { UnitList } from "./unit-list.ts";
import { type Prepared, preparedFromPlain, preparedFromStream, unitOfStream, wrap, wrappedLength } from "./wrapping.ts";

/** What a medium may write as a whole. */
const BLOCK = 4 * KiB;
/** Units whose streams are made while the batch before them is written, by their plain bytes. */
const AHEAD_BYTES = 16 * MiB;
/** What saves so little is evicted as it is. */
const LEAST_SAVING = 512;
/** Clusters: half of it holds the longest unit, of two clusters in a stream, with all that is around it. */
const LEAST_WINDOW = 8;

interface PackerParts {
  readonly source: WalkSource;
  readonly wishes: PackWishes;
  readonly units: UnitList;
  readonly entries: EntryPlaces;
  readonly batches: CountedBatches;
  readonly evictions: EvictionPlaces;
  /** One past the last cluster of the spares, behind which lie copies and tables. */
  readonly roomEnd: number;
}

export class Qcow2Packer implements Encoder {
  readonly method = "zlib";
  readonly unitSize: number;
  readonly plainBytes: number;
  readonly spareBytes: number;
  readonly #parts: PackerParts;
  readonly #window: number;
  /** What the room that was made counts for a unit. */
  readonly #mostWrapped: number;
  readonly #turns = new DeflateTurns();
  /** What is being made of units that are to come, by their row. */
  readonly #ahead = new Map<number, Promise<Prepared>>();
  #started = 0;
  /** Host offset at which the next unit begins, and which that is. */
  #at: number;
  #row = 0;
  readonly #hostOffsets: Float64Array;

  private constructor(parts: PackerParts) {
    this.#parts = parts;
    this.unitSize = parts.source.geometry.clusterSize;
    this.#window = Math.floor(parts.wishes.maxBatchBytes / this.unitSize) * this.unitSize;
    this.plainBytes = parts.units.count * this.unitSize;
    this.spareBytes = Math.min(this.plainBytes, this.#window);
    const { form } = parts.wishes;
    const { virtualSize } = parts.source.header;
    this.#mostWrapped = form.lengthFor(1, virtualSize) - form.lengthFor(0, virtualSize);
    this.#at = parts.wishes.form.start;
    this.#hostOffsets = new Float64Array(parts.units.count);
  }

  /** Of a disk alone, whose tables lie behind all that will be packed; `source.tally` has counted all of it. */
  static async open(source: WalkSource, facts: EncoderFacts, wishes: PackWishes): Promise<Qcow2Packer> {
    const { storage, header, geometry } = source;
    const { clusterSize } = geometry;
    const refuse = (because: string) => cannotRearrange("unsupported", storage.path, because);
    const { form } = wishes;
    if (header.snapshotCount > 0) throw refuse("it has snapshots");
    if (clusterSize !== form.unitSize || geometry.hasSubclusters || header.compression !== "zlib")
      throw refuse(`its units are no clusters of ${form.unitSize} bytes that zlib compresses`);
    if (Math.floor(wishes.maxBatchBytes / clusterSize) < LEAST_WINDOW)
      throw cannotRearrange(
        "no-space",
        storage.path,
        `${LEAST_WINDOW * clusterSize} bytes have to be free for a while`,
      );
    const spares = sparePlaces(source, facts.blocks, Math.floor(wishes.maxBatchBytes / clusterSize));
    const { placeCount } = spares;
    const units = new UnitList(facts.mapping, clusterSize, placeCount);
    const room = sparesBelow(units, firstTable(source), Math.floor(wishes.maxBatchBytes / clusterSize));
    if (room.end * clusterSize < form.lengthFor(units.count, header.virtualSize) + wishes.maxBatchBytes)
      throw refuse("its tables lie where its units have to go");
    // What nobody has is no more counted, and all else is as it is.
    const holding = new Bitmap(placeCount);
    holding.mark(0, placeCount);
    const batches = await CountedBatches.open(source, facts, spares, holding);
    for (let at = 0; at < units.count; at++)
      if (units.storedLength[at] === 0 && source.tally.all.get((units.place[at] as number) / clusterSize) !== 1)
        throw refuse("a cluster of its disk is another's as well");
    const blank = new Bitmap(room.end);
    for (let cluster = 1; cluster < room.end; cluster++) if (units.isLeft(cluster)) blank.mark(cluster, 1);
    const evictions = new EvictionPlaces(room.start, room.end, clusterSize, blank);
    const entries = await EntryPlaces.read(source);
    return new Qcow2Packer({ source, wishes, units, entries, batches, evictions, roomEnd: room.end });
  }

  async *steps(): AsyncGenerator<EncodeStep, void, void> {
    const { units, batches, wishes, source } = this.#parts;
    const mayStop = new Turns(wishes.signal, `compress ${source.storage.path}`);
    try {
      await this.#passBy();
      while (this.#row < units.count) {
        await mayStop.yield();
        if (this.#limit() - this.#at < this.#window / 2) yield* this.#evict();
        yield* this.#bring();
      }
      yield* batches.perform(new Batch(this.unitSize), this.plainBytes);
      const packed = {
        virtualSize: source.header.virtualSize,
        count: units.count,
        unit: units.unit,
        hostOffset: this.#hostOffsets,
        end: this.#at,
      };
      for await (const writes of wishes.form.tail(packed, source.storage))
        yield { beforehand: { purpose: "write what lies behind the units", repoints: false, writes } };
    } finally {
      await this.#landed();
    }
  }

  /** Units of an earlier run, cut off, that lie where they shall. */
  async #passBy(): Promise<void> {
    const { units, wishes, source } = this.#parts;
    const { form } = wishes;
    let [row, at] = [0, form.start];
    let kept: readonly [row: number, at: number] = [row, at];
    while (row < units.count && units.storedLength[row] && units.place[row] === at + form.leadInLength) {
      const prepared = await this.#prepared(row);
      const length = wrappedLength(prepared, form);
      const { leadIn, stream } = wrap(prepared, form, this.#guestOffset(row), length);
      const found = await readZeroFilled(source.storage, at, length);
      if (Buffer.compare(found, Buffer.concat([leadIn, stream])) !== 0) break;
      this.#ahead.delete(row);
      this.#hostOffsets[row++] = at;
      at += length;
      // Behind it a block begins that nothing of these lies in.
      if (at % BLOCK === 0) kept = [row, at];
    }
    [this.#row, this.#at] = kept;
    for (let each = 0; each < this.#row; each++) units.settle(each);
    this.#parts.evictions.bar(0, Math.ceil(this.#at / this.unitSize));
    await this.#landed();
    this.#ahead.clear();
    this.#started = this.#row;
  }

  /** How far what is free reaches from where the next unit begins. Behind the room lie tables, which wait for nothing. */
  #limit(): number {
    const { units, roomEnd } = this.#parts;
    const first = Math.floor(this.#at / this.unitSize);
    const end = Math.min(roomEnd, first + 1 + Math.ceil(this.#window / this.unitSize));
    return Math.max(this.#at, units.nextWaiting(first, end) * this.unitSize);
  }

  /** What lies in the way of the next units to somewhere else. */
  async *#evict(): AsyncGenerator<EncodeStep, void, void> {
    const { units, evictions, batches, entries, roomEnd } = this.#parts;
    const start = Math.floor(this.#at / this.unitSize);
    const clusters = this.#window / this.unitSize;
    // All that is still to come ends before the last window, which is what is left for what lies in the way.
    const end = Math.min(start + clusters, roomEnd - clusters);
    // A place is given up: nobody may be reading there.
    await this.#landed();
    evictions.bar(0, end);
    evictions.seal();
    const rows = [...new Set(units.waitingIn(start, end))];
    const batch = new Batch(this.unitSize);
    const moved: { readonly row: number; readonly stream: PlacedStream }[] = [];
    const making = await Promise.allSettled(rows.map((row) => this.#turns.take(() => this.#evicted(row))));
    for (const [index, row] of rows.entries()) {
      const made = making[index];
      if (made?.status !== "fulfilled") throw made?.reason;
      const { bytes, isPlain } = made.value;
      const to = evictions.take(bytes.length, end);
      if (to === undefined) throw this.#noSpace("nothing is free where what lies in the way could go");
      const stream = {
        from: units.place[row] as number,
        fromLength: units.storedLength[row] || undefined,
        entry: entries.of(this.#guestOffset(row)),
        bytes,
        to,
        ...(isPlain && { isPlain }),
      };
      batch.put(stream);
      moved.push({ row, stream });
    }
    yield* batches.perform(batch, this.#row * this.unitSize);
    for (const { row, stream } of moved) {
      const [first, last] = units.clustersOf(row);
      units.move(row, stream.to, stream.isPlain ? 0 : stream.bytes.length);
      this.#give(first, last);
    }
  }

  /** A unit as it is stored for a while: compressed, where that is shorter. */
  async #evicted(row: number): Promise<{ readonly bytes: Uint8Array; readonly isPlain?: true }> {
    const bytes = await this.#read(row);
    if (this.#parts.units.storedLength[row]) {
      // One that is too long for a cluster becomes what it gives.
      if (bytes.length <= this.unitSize) return { bytes };
      return { bytes: await this.#plainOf(row, bytes), isPlain: true };
    }
    const { raw } = await preparedFromPlain(bytes);
    return raw.length <= this.unitSize - LEAST_SAVING ? { bytes: raw } : { bytes, isPlain: true };
  }

  /** The next units to their places, as far as what is free reaches. */
  async *#bring(): AsyncGenerator<EncodeStep, void, void> {
    const { units, entries, batches, evictions, wishes } = this.#parts;
    const { form } = wishes;
    const limit = this.#limit();
    const chosen: { readonly row: number; readonly prepared: Prepared; at: number; length: number }[] = [];
    let at = this.#at;
    for (let row = this.#row; row < units.count && at - this.#at < this.#window; row++) {
      const prepared = await this.#prepared(row);
      const length = wrappedLength(prepared, form);
      if (at + length > limit) break;
      chosen.push({ row, prepared, at, length });
      at += length;
    }
    const last = chosen.at(-1);
    if (last === undefined) throw this.#noSpace("nothing is free where the next cluster has to go");
    last.length = alignUp(at, BLOCK) - last.at;
    const end = last.at + last.length;
    const batch = new Batch(this.unitSize);
    for (const { row, prepared, at: start, length } of chosen) {
      const guestOffset = this.#guestOffset(row);
      const { leadIn, stream } = wrap(prepared, form, guestOffset, length);
      const fromLength = units.storedLength[row] || undefined;
      batch.put({
        from: units.place[row] as number,
        fromLength,
        entry: entries.of(guestOffset),
        bytes: stream,
        to: start + form.leadInLength,
        leadIn,
        ...(fromLength !== undefined && { isRewrapped: true as const }),
      });
      this.#hostOffsets[row] = start;
      this.#ahead.delete(row);
    }
    const endCluster = Math.ceil(end / this.unitSize);
    evictions.bar(0, endCluster);
    evictions.fill(Math.floor(this.#at / this.unitSize), endCluster);
    const row = last.row + 1;
    this.#prefetch(row);
    // What is left below the next window is written to soon.
    const clusters = this.#window / this.unitSize;
    yield* batches.perform(batch, row * this.unitSize, evictions.giveBack(clusters, endCluster + clusters));
    this.#row = row;
    this.#at = end;
    for (const { row: each } of chosen) {
      const [first, lastCluster] = units.clustersOf(each);
      units.settle(each);
      this.#give(first, lastCluster);
    }
  }

  /** Clusters that a unit has left, as far as nothing else waits there, nor what is packed has come to lie there. */
  #give(first: number, last: number): void {
    const { units, evictions } = this.#parts;
    for (let cluster = first; cluster <= last; cluster++)
      if (cluster * this.unitSize >= this.#at && units.isLeft(cluster)) evictions.give(cluster);
  }

  #prepared(row: number): Promise<Prepared> {
    this.#prefetch(row);
    return this.#ahead.get(row) as Promise<Prepared>;
  }

  /** Those from a row on are made, some at a time. */
  #prefetch(row: number): void {
    const { units } = this.#parts;
    this.#started = Math.max(this.#started, row);
    const end = Math.min(units.count, row + Math.max(1, Math.ceil(AHEAD_BYTES / this.unitSize)));
    if (!this.#ahead.has(row) && row < this.#started && row < end) this.#start(row);
    while (this.#started < end) this.#start(this.#started++);
  }

  #start(row: number): void {
    const made = this.#turns.take(async () => {
      const bytes = await this.#read(row);
      if (!this.#parts.units.storedLength[row]) return preparedFromPlain(bytes);
      const prepared = await this.#told(row, preparedFromStream(bytes, this.unitSize));
      // One that is longer than it has to be is made anew: for it there is no room, and perhaps no entry that tells its length.
      const isTooLong = wrappedLength(prepared, this.#parts.wishes.form) > this.#mostWrapped;
      return isTooLong ? preparedFromPlain(await this.#plainOf(row, bytes)) : prepared;
    });
    // Told by whoever waits for it.
    made.catch(() => {});
    this.#ahead.set(row, made);
  }

  /** Nobody reads any more. */
  async #landed(): Promise<void> {
    await Promise.allSettled(this.#ahead.values());
  }

  #read(row: number): Promise<Uint8Array> {
    const { units, source } = this.#parts;
    return readZeroFilled(source.storage, units.place[row] as number, units.storedLength[row] || this.unitSize);
  }

  async #plainOf(row: number, stored: Uint8Array): Promise<Uint8Array> {
    return (await this.#told(row, unitOfStream(stored, this.unitSize))).plain;
  }

  /** What is wrong with a stream, with its place: of an image whose guest nobody has read before. */
  async #told<T>(row: number, inflating: Promise<T>): Promise<T> {
    try {
      return await inflating;
    } catch (cause) {
      const hostOffset = this.#parts.units.place[row] as number;
      const because = `the stream at host offset ${hex(hostOffset)} does not give a cluster's bytes`;
      const facts = { hostOffset, guestOffset: this.#guestOffset(row), cause };
      throw cannotRearrange("corrupt", this.#parts.source.storage.path, because, facts);
    }
  }

  #noSpace(because: string) {
    return cannotRearrange("no-space", this.#parts.source.storage.path, because);
  }

  #guestOffset(row: number): number {
    return (this.#parts.units.unit[row] as number) * this.unitSize;
  }
}

/** The last clusters below `limit`, at least `count` in a row, that nothing lies in; of no length where there are none. */
function sparesBelow(units: UnitList, limit: number, count: number): { readonly start: number; readonly end: number } {
  let end = limit;
  for (let start = limit; start > 1; start--) {
    if (units.isLeft(start - 1)) continue;
    if (end - start >= count) return { start, end };
    end = start - 1;
  }
  return { start: 1, end: end > count ? end : 1 };
}

/** Everything below this cluster is data's, or nobody's. */
function firstTable({ tally, geometry }: WalkSource): number {
  let end = geometry.hostClusterCount;
  for (const { cluster } of tally.metadata.each()) if (cluster > 0) end = Math.min(end, cluster);
  for (const { cluster } of tally.activeL2Tables.each()) end = Math.min(end, cluster);
  return end;
}
