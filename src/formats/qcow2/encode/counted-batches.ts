/**
 * Batches of streams with the counts of the places that they go to, and of those that earlier batches have left: what is
 * lowered is lowered once the pointers away from it are durable.
 */

import type { Bitmap } from "../../../bytes/bitmap.ts";
import type { RangeSet } from "../../../bytes/range-set.ts";
import type { EncodeStep } from "../../../image/encoder.ts";
import type { ExtentTable } from "../../../image/extent.ts";
import type { TidyStep } from "../../../image/rearranger.ts";
import { entryWrites } from "../rearrange/entry-words.ts";
import { LiveCounts } from "../rearrange/live-counts.ts";
import type { RefcountBlocks } from "../tables/refcount-table.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import type { Batch } from "./batch.ts";
import { overcountedStreams } from "./overcounts.ts";
import type { SparePlaces } from "./spare-places.ts";

/** Of an image whose check found nothing but leaks. */
export interface EncoderFacts {
  readonly mapping: ExtentTable;
  readonly blocks: RefcountBlocks;
  /** To be durable before the first batch. */
  readonly beforehand: readonly TidyStep[];
  /** As the check has found them. */
  readonly leaks: number;
}

export class CountedBatches {
  readonly counts: LiveCounts;
  readonly #source: WalkSource;
  readonly #holding: Bitmap;
  readonly #beforehand: TidyStep[];
  /** Pointers less that clusters have since the batch before, whose counts still say so many. */
  #left = new Map<number, number>();
  /** Counts of what nobody points at have been lowered, and not written yet. */
  #hasLowered = false;
  /** Clusters that the file reaches to. */
  end: number;

  private constructor(source: WalkSource, beforehand: readonly TidyStep[], spares: SparePlaces, holding: Bitmap) {
    const { pieces, blocks, end } = spares;
    this.counts = new LiveCounts({ storage: source.storage, pieces, blocks, refcountBits: source.header.refcountBits });
    this.#source = source;
    this.#holding = holding;
    this.#beforehand = [...beforehand, ...spares.beforehand];
    this.end = end;
  }

  /**
   * `source.tally` has counted all of it. `holding`: clusters whose count is to be raised by what comes to lie in them, of all
   * others it is made anew; marked as streams come.
   */
  static async open(
    source: WalkSource,
    { blocks, beforehand, leaks }: EncoderFacts,
    spares: SparePlaces,
    holding: Bitmap,
  ): Promise<CountedBatches> {
    const batches = new CountedBatches(source, beforehand, spares, holding);
    if (leaks > 0) await batches.#lowerLeaks(blocks);
    return batches;
  }

  /** What a cut has left counted, above all. */
  async #lowerLeaks(blocks: RefcountBlocks): Promise<void> {
    const [counts, source] = [this.counts, this.#source];
    for (let index = 0; index < blocks.length; index++) {
      if (!((blocks[index] as number) > 0)) continue;
      await counts.lowerWhere(index, (cluster) => {
        const isNobodys = source.tally.all.get(cluster) === 0;
        this.#hasLowered ||= isNobodys;
        return isNobodys;
      });
    }
    for await (const [cluster, excess] of overcountedStreams(source.tally, counts)) this.#left.set(cluster, excess);
  }

  /** Both epochs of a batch; nothing where there is nothing to do, of an empty one too. `lookedAt`: plain bytes so far. */
  async *perform(batch: Batch, lookedAt: number, left?: RangeSet): AsyncGenerator<EncodeStep, void, void> {
    const [source, counts, holding] = [this.#source, this.counts, this.#holding];
    const touched = batch.touched();
    if (touched.size === 0 && this.#left.size === 0 && !this.#hasLowered) return;
    // Its counts are read only then: a block may be new.
    for (const beforehand of this.#beforehand.splice(0)) yield { beforehand };
    this.#hasLowered = false;
    for (const cluster of new Set([...touched.keys(), ...this.#left.keys()])) {
      const more = touched.get(cluster) ?? 0;
      const isFresh = more > 0 && !holding.has(cluster);
      // A fresh place may be counted still: what lay there, or a leak.
      const before = isFresh ? 0 : (await counts.get(cluster)) - (this.#left.get(cluster) ?? 0);
      await counts.set(cluster, before + more);
      if (more > 0) this.end = Math.max(this.end, cluster + 1);
    }
    const writes = [...(await counts.takeWrites()), ...batch.writes()];
    yield {
      batch: {
        bytesLookedAt: lookedAt,
        units: batch.units(),
        writes: writes.sort((a, b) => a.hostOffset - b.hostOffset),
        ...(left && { left }),
        fileSize: this.end * source.geometry.clusterSize,
        repoint: () => entryWrites(source.storage, source.geometry, batch.changes()),
      },
    };
    for (const cluster of touched.keys()) holding.mark(cluster, 1);
    this.#left = batch.left();
  }
}
