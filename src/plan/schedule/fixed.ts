/** Units that have one place each where they must go: along their chains and cycles, all gaps at each barrier. */

import type { Bitmap } from "../../bytes/bitmap.ts";
import type { Moves } from "../../image/rearranger.ts";
import { type Chains, chainsOf } from "./chains.ts";
import { MovedRuns } from "./moved-runs.ts";
import { impossible, markedEndOutside, placeAt } from "./places.ts";
import type { FixedInput, Schedule } from "./schedule.ts";
import { lengthOf, shapeOf, type Timetable, timetableOf } from "./timetable.ts";

/** More than a million units between two barriers save nothing. */
const MOST_MOVES = 2 ** 20;

/** Throws ImageError `verification-failed` where a place that is wanted is used by what has to stay. */
export function scheduleFixed(input: FixedInput): Schedule {
  const { unitSize, wanted, used, spareBytes, epochBytes } = input;
  const chains = chainsOf(wanted, unitSize, used);
  const hasCycles = chains.starts.length - 1 > chains.chainCount;
  const mostSpares = spareBytes === 0 && !hasCycles ? 0 : Math.max(1, Math.floor(spareBytes / unitSize));
  const mostMoves = Math.min(MOST_MOVES, Math.max(1, Math.floor(epochBytes / unitSize)));
  const timetable = timetableOf(chains, mostSpares, mostMoves);
  const { moveCount, epochCount, spareCount } = timetable;
  const left = lastPlaces(chains);
  const leftAt = (at: number): number => left[at] as number;
  const sparePlace = placeAt(input.spareStart, unitSize);
  const peakEnd = Math.max(used.markedEnd, chains.toEnd, spareCount === 0 ? 0 : sparePlace + spareCount);
  placeAt(Math.max(0, peakEnd - 1) * unitSize, unitSize);
  if (!isFree(input, sparePlace, sparePlace + spareCount)) {
    throw impossible("spares may lie there only where nothing else does or will", input.spareStart);
  }
  return {
    moveCount,
    bytesMoved: moveCount * unitSize,
    epochCount,
    epochs: () => epochsOf(chains, timetable, sparePlace, unitSize),
    peakEnd: peakEnd * unitSize,
    end:
      Math.max(
        chains.toEnd,
        markedEndOutside(used, left.length, leftAt, (at) => leftAt(at) + 1),
      ) * unitSize,
  };
}

/** Those of the wanted moves that need no spare: each waits only for others that end at a free place, below `placeCount`. */
export function movesOfChains(wanted: Moves, unitSize: number, used: Bitmap, placeCount: number): Moves {
  const { places, starts, chainCount } = chainsOf(wanted, unitSize, used);
  const moves = new MovedRuns(unitSize);
  for (let chain = 0; chain < chainCount; chain++) {
    const end = starts[chain + 1] as number;
    if ((places[starts[chain] as number] as number) >= placeCount) continue;
    for (let at = (starts[chain] as number) + 1; at < end; at++)
      moves.add(places[at] as number, places[at - 1] as number);
  }
  return moves.take();
}

/** One list of those on their way; each epoch asks them for their next moves. */
function* epochsOf(chains: Chains, timetable: Timetable, sparePlace: number, unitSize: number): Generator<Moves> {
  const { order, start, epochCount } = timetable;
  const moves = new MovedRuns(unitSize);
  let underway: number[] = [];
  let begun = 0;
  for (let epoch = 0; epoch < epochCount; epoch++) {
    while (begun < order.length && start[begun] === epoch) underway.push(begun++);
    let endsOne = false;
    for (const at of underway) {
      const step = epoch - (start[at] as number);
      if (addStep(chains, timetable, at, step, sparePlace, moves)) endsOne = true;
    }
    yield moves.take();
    if (endsOne)
      underway = underway.filter((at) => epoch + 1 < (start[at] as number) + epochsOfOne(chains, timetable, at));
  }
}

function epochsOfOne(chains: Chains, { order, limit }: Timetable, at: number): number {
  const chain = order[at] as number;
  return shapeOf(chain >= chains.chainCount, lengthOf(chains, chain), limit).epochCount;
}

/** Whether nothing lies in the places, and nothing is wanted there. */
function isFree({ used, wanted, unitSize }: FixedInput, from: number, to: number): boolean {
  if (used.nextMarked(from, to) < to) return false;
  for (let row = 0; row < wanted.count; row++) {
    const first = (wanted.toHostOffset[row] as number) / unitSize;
    if (first < to && first + (wanted.length[row] as number) / unitSize > from) return false;
  }
  return true;
}

/**
 * The moves of one chain at its `step`: of each track one. Unit m goes to the m-th place of the chain. A track that begins
 * with a spare puts the last unit of the track before it there, which takes it back at its own last step.
 */
function addStep(
  chains: Chains,
  { order, limit, spares, spareStart }: Timetable,
  at: number,
  step: number,
  sparePlace: number,
  moves: MovedRuns,
): boolean {
  const chain = order[at] as number;
  const isCycle = chain >= chains.chainCount;
  const length = lengthOf(chains, chain);
  const { width, epochCount } = shapeOf(isCycle, length, limit);
  const first = chains.starts[chain] as number;
  const firstSpare = (spareStart[at] as number) - (isCycle ? 0 : 1);
  const place = (unit: number): number => chains.places[first + (isCycle ? unit % length : unit)] as number;
  const spareOf = (track: number): number => sparePlace + (spares[firstSpare + track] as number);
  const trackStart = (track: number): number =>
    track === width ? length : track * (limit - 1) + (isCycle || track === 0 ? 0 : 1);
  for (let track = 0; track < width; track++) {
    const hasSpare = isCycle || track > 0;
    const start = trackStart(track);
    if (hasSpare && step === 0) {
      moves.add(place(start), spareOf(track));
      continue;
    }
    const unit = start + step - (hasSpare ? 1 : 0);
    const end = trackStart(track + 1);
    if (unit >= end) continue;
    const isSpared = unit + 1 === end && (isCycle || track + 1 < width);
    moves.add(isSpared ? spareOf((track + 1) % width) : place(unit + 1), place(unit));
  }
  return step + 1 === epochCount;
}

/** The place that each chain leaves for good, ascending. */
function lastPlaces({ places, starts, chainCount }: Chains): Uint32Array {
  const last = new Uint32Array(chainCount);
  for (let chain = 0; chain < chainCount; chain++) last[chain] = places[(starts[chain + 1] as number) - 1] as number;
  return last.sort();
}
