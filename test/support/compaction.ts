/** Plays rearrangements on bytes in memory, by a schedule of its own: the highest piece into the lowest place that takes it. */

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

/** Pieces by chance into free places by chance, `turns` epochs of them; nothing is given up. */
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
  const places = new Places(rearranger);
  const { count, hostOffset, length } = rearranger.pieces();
  const end = (rearranger.used.markedEnd + 8) * rearranger.unitSize;
  for (const row of random.shuffle(Array.from({ length: count }, (_, index) => index)).slice(0, most)) {
    const [from, size] = [hostOffset[row] as number, length[row] as number];
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
  readonly #taken = new Set<number>();

  constructor(rearranger: Rearranger) {
    this.#rearranger = rearranger;
  }

  lowest(length: number, end: number, start = 0): number | undefined {
    const { unitSize } = this.#rearranger;
    for (let to = start; to + length <= end; to += unitSize) {
      let isFree = true;
      for (let at = to; at < to + length && isFree; at += unitSize) isFree = this.#isFree(at);
      if (isFree) return to;
    }
    return undefined;
  }

  take(hostOffset: number, length: number): void {
    const { unitSize } = this.#rearranger;
    for (let at = hostOffset; at < hostOffset + length; at += unitSize) this.#taken.add(at);
  }

  #isFree(hostOffset: number): boolean {
    const { used, barred, unitSize } = this.#rearranger;
    if (this.#taken.has(hostOffset) || used.has(hostOffset / unitSize)) return false;
    return barred?.intersects(hostOffset, hostOffset + unitSize) !== true;
  }
}
