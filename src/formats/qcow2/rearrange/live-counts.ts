/**
 * The refcounts of an image that is being rearranged: those of its live blocks, changed as the moves need it and written
 * by whole sectors (docs/interop/qcow2.txt, "Host cluster management"). A block that moves itself is written whole at its
 * new place, since what a copy would read there is changed in the same epoch.
 */

import { MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { hex } from "../../../bytes/image-error.ts";
import { type Range, RangeSet } from "../../../bytes/range-set.ts";
import { NO_PIECE, type PieceTable } from "../../../image/piece-table.ts";
import type { Write } from "../../../image/write.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import { refcountAt, refcountsPerBlock, setRefcount } from "../tables/refcount.ts";
import { cannotRearrange } from "./rearrange-error.ts";

/** Blocks in memory between two calls. */
const MAX_CACHED_BYTES = 4 * MiB;
const MAX_LOOKS = 4;

export interface CountsPlace {
  readonly storage: Storage;
  readonly pieces: PieceTable;
  readonly refcountBits: number;
  /** The piece that each block is, by its entry in the refcount table, or NO_PIECE. Changed as blocks are taken out. */
  readonly blocks: Int32Array;
}

interface Block {
  readonly view: DataView<ArrayBuffer>;
  /** Sectors that differ from what the file holds. */
  readonly changed: Set<number>;
}

export class LiveCounts {
  readonly perBlock: number;
  readonly #place: CountsPlace;
  readonly #clusterSize: number;
  readonly #cached = new Map<number, Block>();
  readonly #cacheLimit: number;
  /** The entry of the refcount table for each piece that is a block. */
  readonly #indexes = new Map<number, number>();

  constructor(place: CountsPlace) {
    this.#place = place;
    this.#clusterSize = place.pieces.clusterSize;
    this.#cacheLimit = Math.max(1, Math.floor(MAX_CACHED_BYTES / this.#clusterSize));
    this.perBlock = refcountsPerBlock(this.#clusterSize, place.refcountBits);
    for (const [index, piece] of place.blocks.entries()) if (piece !== NO_PIECE) this.#indexes.set(piece, index);
  }

  /** Of the clusters below `end`, those whose count lies nowhere. */
  uncounted(end: number): Iterable<Range> {
    const uncounted = new RangeSet();
    for (let first = 0; first < end; first += this.perBlock) {
      if (!this.hasBlockFor(first)) uncounted.add(first, first + this.perBlock);
    }
    return uncounted.each();
  }

  async get(cluster: number): Promise<number> {
    const { view } = await this.#block(Math.floor(cluster / this.perBlock), cluster);
    return refcountAt(view, cluster % this.perBlock, this.#place.refcountBits);
  }

  async set(cluster: number, count: number): Promise<void> {
    const block = await this.#block(Math.floor(cluster / this.perBlock), cluster);
    this.#change(block, cluster % this.perBlock, count);
  }

  /** Sets each count of a block to 0 whose cluster `isNobodys`. */
  async lowerWhere(index: number, isNobodys: (cluster: number) => boolean): Promise<void> {
    const block = await this.#block(index);
    for (let at = 0; at < this.perBlock; at++) {
      if (refcountAt(block.view, at, this.#place.refcountBits) === 0) continue;
      if (isNobodys(index * this.perBlock + at)) this.#change(block, at, 0);
    }
  }

  #change({ view, changed }: Block, at: number, count: number): void {
    const { refcountBits } = this.#place;
    if (refcountAt(view, at, refcountBits) === count) return;
    setRefcount(view, at, refcountBits, count);
    changed.add(Math.floor((at * refcountBits) / 8 / SECTOR_SIZE));
  }

  /** Whether the count of `cluster` lies anywhere. */
  hasBlockFor(cluster: number): boolean {
    return (this.#place.blocks[Math.floor(cluster / this.perBlock)] ?? NO_PIECE) !== NO_PIECE;
  }

  /** A block as it will be; `cluster` is what it is wanted for. */
  async #block(index: number, cluster: number = index * this.perBlock): Promise<Block> {
    const { storage, pieces, blocks } = this.#place;
    const cached = this.#cached.get(index);
    if (cached !== undefined) return cached;
    const piece = blocks[index] ?? NO_PIECE;
    if (piece === NO_PIECE) {
      const because = `no refcount block counts cluster ${cluster} at host offset ${hex(cluster * this.#clusterSize)}`;
      throw cannotRearrange("out-of-bounds", storage.path, because, { hostOffset: cluster * this.#clusterSize });
    }
    const bytes = await readZeroFilled(storage, pieces.hostOffsetOf(piece), this.#clusterSize);
    const block = { view: new DataView(bytes.buffer), changed: new Set<number>() };
    this.#makeRoom();
    this.#cached.set(index, block);
    return block;
  }

  /** Puts a block in that is about to be listed. */
  putIn(index: number, piece: number): void {
    this.#place.blocks[index] = piece;
    this.#indexes.set(piece, index);
  }

  /** Takes a block out that the refcount table does not list any more. */
  takeOut(index: number): void {
    this.#cached.delete(index);
    this.#indexes.delete(this.#place.blocks[index] as number);
    this.#place.blocks[index] = NO_PIECE;
  }

  /** What has changed since the last call; blocks among `moving` lie at both places, whole at the new one. Ascending. */
  async takeWrites(moving: ReadonlyMap<number, number> = new Map()): Promise<Write[]> {
    const { pieces, blocks } = this.#place;
    const writes: Write[] = [];
    for (const [piece, cluster] of moving) {
      const index = this.#indexes.get(piece);
      if (index === undefined) continue;
      const { view } = await this.#block(index);
      writes.push({ hostOffset: cluster * this.#clusterSize, bytes: new Uint8Array(view.buffer.slice(0)) });
    }
    for (const [index, { view, changed }] of this.#cached) {
      if (changed.size === 0) continue;
      const place = pieces.hostOffsetOf(blocks[index] as number);
      for (const { start, end } of runsOf(changed)) {
        writes.push({ hostOffset: place + start, bytes: new Uint8Array(view.buffer.slice(start, end)) });
      }
      changed.clear();
    }
    while (this.#cached.size >= this.#cacheLimit && this.#cached.size > 1) this.#makeRoom();
    return writes.sort((a, b) => a.hostOffset - b.hostOffset);
  }

  /** Drops the block that was read first; those that wait to be written go to the end of the row. */
  #makeRoom(): void {
    if (this.#cached.size < this.#cacheLimit) return;
    let looked = 0;
    for (const [index, block] of this.#cached) {
      this.#cached.delete(index);
      if (block.changed.size === 0) return;
      this.#cached.set(index, block);
      if (++looked === MAX_LOOKS) return;
    }
  }
}

/** Neighbouring sectors together, in bytes of their block. */
function runsOf(sectors: ReadonlySet<number>): Iterable<Range> {
  const runs = new RangeSet();
  for (const sector of sectors) runs.add(sector * SECTOR_SIZE, (sector + 1) * SECTOR_SIZE);
  return runs.each();
}
