/** Plays rearrangements on bytes in memory, by a schedule of its own: the highest piece into the lowest place that takes it. */

import type { RangeSet } from "../../src/bytes/range-set.ts";
import { copiesOf, type Moves, type Rearranger } from "../../src/image/rearranger.ts";
import type { Image } from "../../src/image/source.ts";
import type { Epoch, HostCopy, Write } from "../../src/image/write.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { applyEpoch } from "./apply-epoch.ts";
import { LiveBytes } from "./live-bytes.ts";
import type { Random } from "./random.ts";

export interface Play {
  readonly open: (storage: Storage) => Promise<Image>;
  /** Pieces that go in one epoch. */
  readonly movesAtOnce: number;
  /** Hears each epoch before it is performed on `file`. */
  readonly beforeEpoch?: (file: Uint8Array, epoch: Epoch) => Promise<void>;
}

/** What was done, and the file after it. */
export interface Played {
  readonly bytes: Uint8Array;
  readonly epochCount: number;
  readonly moveCount: number;
}

interface Move {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** All pieces as far to the front as they go, empty tables taken out, the file cut behind the last one. */
export async function compactInMemory(bytes: Uint8Array, play: Play): Promise<Played> {
  return await playMoves(bytes, play, (rearranger) => compactingMoves(rearranger, play.movesAtOnce));
}

/** Pieces by chance, alone or in runs, into free places by chance, `turns` epochs of them; nothing is given up. */
export async function shuffleInMemory(bytes: Uint8Array, play: Play, random: Random, turns: number): Promise<Played> {
  let left = turns;
  const pick = (rearranger: Rearranger) => (left-- > 0 ? shufflingMoves(rearranger, play.movesAtOnce, random) : []);
  return await playMoves(bytes, play, pick);
}

async function playMoves(
  bytes: Uint8Array,
  play: Play,
  pick: (rearranger: Rearranger) => readonly Move[],
): Promise<Played> {
  const live = new LiveBytes(bytes);
  const image = await play.open(live);
  if (image.openRearranger === undefined) throw new Error("nothing of this format can be moved");
  const rearranger = await image.openRearranger();
  let epochCount = 0;
  let moveCount = 0;
  const perform = async (epoch: Epoch) => {
    await play.beforeEpoch?.(live.bytes, epoch);
    live.bytes = applyEpoch(live.bytes, epoch);
    epochCount++;
  };
  const write = async (purpose: string, writes: readonly Write[], hostCopies: readonly HostCopy[] = []) => {
    if (writes.length + hostCopies.length > 0) await perform({ purpose, hostCopies, writes: () => writes });
  };
  for (const { purpose, writes } of rearranger.beforehand ?? []) await write(purpose, writes);
  const leastEnd = rearranger.used.markedCount * rearranger.unitSize;
  for (const { purpose, writes } of (await rearranger.unbar?.(leastEnd)) ?? []) await write(purpose, writes);
  // What the last piece lacks reads as zeros, which the place that it goes to need not hold.
  const usedEnd = rearranger.used.markedEnd * rearranger.unitSize;
  if (live.bytes.length < usedEnd) await perform({ purpose: "fill the last place up", fileSize: usedEnd });
  for (;;) {
    let left: Moves | undefined;
    for (let moves = pick(rearranger); moves.length > 0; moves = pick(rearranger)) {
      const coming = columnsOf(moves);
      const counts = await rearranger.recount(left, coming);
      await write("copy", counts, copiesOf(coming, counts));
      await write("re-point", await rearranger.repoint(coming));
      rearranger.follow(coming);
      left = coming;
      moveCount += moves.length;
    }
    if (left !== undefined) await write("release", await rearranger.recount(left, undefined));
    const steps = await rearranger.tidy();
    for (const { purpose, writes } of steps) await write(purpose, writes);
    if (left === undefined && steps.length === 0) break;
  }
  await perform({ purpose: "truncate", fileSize: rearranger.used.markedEnd * rearranger.unitSize });
  return { bytes: live.bytes, epochCount, moveCount };
}

function columnsOf(moves: readonly Move[]): Moves {
  return {
    count: moves.length,
    fromHostOffset: Float64Array.from(moves, ({ from }) => from),
    toHostOffset: Float64Array.from(moves, ({ to }) => to),
    length: Float64Array.from(moves, ({ length }) => length),
  };
}

function compactingMoves(rearranger: Rearranger, most: number): Move[] {
  const moves: Move[] = [];
  const places = new Places(rearranger);
  const { count, hostOffset, length } = rearranger.pieces();
  for (let row = count - 1; row >= 0 && moves.length < most; row--) {
    const [from, size] = [hostOffset[row] as number, length[row] as number];
    const to = places.lowest(size, from);
    if (to === undefined) continue;
    places.take(to, size);
    moves.push({ from, to, length: size });
  }
  return moves;
}

function shufflingMoves(rearranger: Rearranger, most: number, random: Random): Move[] {
  const moves: Move[] = [];
  const gone = new Set<number>();
  const places = new Places(rearranger);
  const { count, hostOffset, length } = rearranger.pieces();
  const end = (rearranger.used.markedEnd + 8) * rearranger.unitSize;
  for (const row of random.shuffle(Array.from({ length: count }, (_, index) => index)).slice(0, most)) {
    const from = hostOffset[row] as number;
    let fromEnd = from;
    // Now and then several that lie one behind the other go as one.
    for (let next = row; hostOffset[next] === fromEnd && !gone.has(next); next++) {
      gone.add(next);
      fromEnd += length[next] as number;
      if (random.chance(0.7)) break;
    }
    const size = fromEnd - from;
    if (size === 0) continue;
    const start = random.below(end / rearranger.unitSize) * rearranger.unitSize;
    const to = places.lowest(size, end, start) ?? places.lowest(size, end);
    if (to === undefined) continue;
    places.take(to, size);
    moves.push({ from, to, length: size });
  }
  return moves;
}

/** Where something may be put in this epoch: free at the last barrier, not barred, not given away. */
class Places {
  readonly #rearranger: Rearranger;
  readonly #barred: RangeSet | undefined;
  readonly #taken = new Set<number>();
  /** By length, where the last one was found. */
  readonly #lowest = new Map<number, number>();

  constructor(rearranger: Rearranger) {
    this.#rearranger = rearranger;
    this.#barred = rearranger.barred;
  }

  lowest(length: number, end: number, start?: number): number | undefined {
    const { unitSize } = this.#rearranger;
    // Places only become fewer, so what was no place before is none now.
    let to = start ?? this.#lowest.get(length) ?? 0;
    while (to + length <= end && !this.#areFree(to, length)) to += unitSize;
    if (start === undefined) this.#lowest.set(length, to);
    return to + length <= end ? to : undefined;
  }

  take(hostOffset: number, length: number): void {
    const { unitSize } = this.#rearranger;
    for (let at = hostOffset; at < hostOffset + length; at += unitSize) this.#taken.add(at);
  }

  #areFree(hostOffset: number, length: number): boolean {
    const { unitSize } = this.#rearranger;
    for (let at = hostOffset; at < hostOffset + length; at += unitSize) if (!this.#isFree(at)) return false;
    return true;
  }

  #isFree(hostOffset: number): boolean {
    const { used, unitSize } = this.#rearranger;
    if (this.#taken.has(hostOffset) || used.has(hostOffset / unitSize)) return false;
    return this.#barred?.intersects(hostOffset, hostOffset + unitSize) !== true;
  }
}
