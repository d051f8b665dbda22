/**
 * What nobody needs any more, given up step by step, each durable before the next:
 *
 *   L2 tables of nothing out of their L1 tables ─► counts of what nobody points at to 0
 *     ─► refcount blocks that only count places behind the end out of the refcount table ─► their own counts to 0 ─► ...
 */

import { NO_PIECE } from "../../../image/piece-table.ts";
import type { TidyStep } from "../../../image/rearranger.ts";
import type { Write } from "../../../image/write.ts";
import { readZeroFilled } from "../../../storage/storage.ts";
import type { LiveCounts } from "./live-counts.ts";
import { cannotRearrange } from "./rearrange-error.ts";
import { repointingWrites, type WordsPlace } from "./repointing.ts";

/** Blocks that count one another's places go one after the other; of a hostile chain the rest is left to the next call. */
const MAX_ROUNDS = 8;

export interface TidyingPlace extends WordsPlace {
  readonly counts: LiveCounts;
  readonly blocks: Int32Array;
  /** Pieces that are L2 tables of nothing; emptied as they are given up. */
  readonly emptyTables: number[];
}

export class Tidying {
  readonly #place: TidyingPlace;
  readonly #steps: TidyStep[] = [];

  constructor(place: TidyingPlace) {
    this.#place = place;
  }

  /** The model is as if they were performed. */
  async steps(): Promise<readonly TidyStep[]> {
    await this.#giveUpTables();
    await this.#lowerLeaks();
    for (let round = 0; round < MAX_ROUNDS && (await this.#giveUpBlocks()); round++);
    return this.#steps;
  }

  async #giveUpTables(): Promise<void> {
    const { storage, pieces, emptyTables } = this.#place;
    for (const table of emptyTables) {
      const hostOffset = pieces.hostOffsetOf(table);
      const bytes = await readZeroFilled(storage, hostOffset, pieces.clusterSize);
      if (!bytes.some((byte) => byte !== 0)) continue;
      throw cannotRearrange("changed-underneath", storage.path, "an L2 table was written to", { hostOffset });
    }
    this.#add("take empty L2 tables out", true, await this.#unlisted(emptyTables));
    for (const table of emptyTables.splice(0)) pieces.takeOut(table);
  }

  /** The words that point at `given` as they are without it. */
  #unlisted(given: readonly number[]): Promise<Write[]> {
    return repointingWrites(this.#place, new Map(given.map((piece) => [piece, undefined])));
  }

  async #lowerLeaks(): Promise<void> {
    const { counts, pieces, blocks } = this.#place;
    for (const [index, block] of blocks.entries()) {
      if (block === NO_PIECE) continue;
      await counts.lowerWhere(index, (cluster) => !pieces.used.has(cluster));
    }
    this.#add("lower the counts of what nobody points at", false, await counts.takeWrites());
  }

  /** Those that count nothing but perhaps themselves, where nothing lies behind either; answers whether there were any. */
  async #giveUpBlocks(): Promise<boolean> {
    const { counts, pieces, blocks } = this.#place;
    const { used } = pieces;
    const given: number[] = [];
    const end = used.markedEnd;
    const endWithoutLast = used.markedEndBelow(end - 1);
    for (const [index, piece] of blocks.entries()) {
      if (piece === NO_PIECE) continue;
      const endWithout = pieces.clusterOf(piece) === end - 1 ? endWithoutLast : end;
      if (index * counts.perBlock >= endWithout) given.push(index);
    }
    if (given.length === 0) return false;
    const taken = given.map((index) => blocks[index] as number);
    this.#add("take refcount blocks of nothing out", true, await this.#unlisted(taken));
    for (const index of given) counts.takeOut(index);
    for (const piece of taken) pieces.takeOut(piece);
    for (const piece of taken) {
      const cluster = pieces.clusterOf(piece);
      if (counts.hasBlockFor(cluster)) await counts.set(cluster, 0);
    }
    this.#add("lower the counts of these blocks", false, await counts.takeWrites());
    return true;
  }

  #add(purpose: string, repoints: boolean, writes: readonly Write[]): void {
    if (writes.length > 0) this.#steps.push({ purpose, repoints, writes });
  }
}
