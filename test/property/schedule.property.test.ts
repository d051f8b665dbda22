/** Schedules over random files, judged by a simulator that moves letters between slots and knows nothing of `src/plan`. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { Bitmap } from "../../src/bytes/bitmap.ts";
import type { Moves } from "../../src/image/rearranger.ts";
import { type Schedule, scheduleCompact, scheduleFixed } from "../../src/plan/schedule.ts";
import { leastBytesMoved, proveSchedule } from "../../src/plan/schedule-proof.ts";

interface Way {
  readonly from: number;
  readonly to: number;
}

interface Piece {
  readonly at: number;
  readonly length: number;
}

/** What each slot holds, by the slot in which it lay at first. */
type Slots = (number | undefined)[];

function usedOf(slots: Slots): Bitmap {
  const used = new Bitmap(slots.length);
  for (const [at, holder] of slots.entries()) if (holder !== undefined) used.mark(at, 1);
  return used;
}

/** With neighbours as runs where `asRuns`, in whatever order they come. */
function movesOf(ways: readonly Way[], unitSize: number, asRuns: boolean): Moves {
  const runs: { from: number; to: number; length: number }[] = [];
  for (const { from, to } of ways) {
    const last = runs.at(-1);
    if (asRuns && last && last.from + last.length === from && last.to + last.length === to) last.length++;
    else runs.push({ from, to, length: 1 });
  }
  return {
    count: runs.length,
    fromHostOffset: Float64Array.from(runs, ({ from }) => from * unitSize),
    toHostOffset: Float64Array.from(runs, ({ to }) => to * unitSize),
    length: Float64Array.from(runs, ({ length }) => length * unitSize),
  };
}

interface Seen {
  readonly slots: Slots;
  readonly units: number;
  readonly epochs: number[];
  readonly peak: number;
  readonly ends: number[];
}

/** Reads all of an epoch before it writes, refuses any slot that is not free, and frees what was read afterwards. */
function simulate(schedule: Schedule, before: Slots, unitSize: number): Seen {
  const slots = [...before];
  const epochs: number[] = [];
  const ends: number[] = [];
  let peak = endOf(slots);
  for (const { count, fromHostOffset, toHostOffset, length } of schedule.epochs()) {
    const ways: Way[] = [];
    for (let run = 0; run < count; run++) {
      for (let at = 0; at < (length[run] as number); at += unitSize) {
        ways.push({
          from: ((fromHostOffset[run] as number) + at) / unitSize,
          to: ((toHostOffset[run] as number) + at) / unitSize,
        });
      }
    }
    expect(new Set(ways.map(({ from }) => from)).size).toBe(ways.length);
    expect(new Set(ways.map(({ to }) => to)).size).toBe(ways.length);
    expect(ways.map(({ to }) => to)).toEqual(ways.map(({ to }) => to).toSorted((a, b) => a - b));
    const copies = ways.map(({ from, to }) => {
      expect(slots[from], `slot ${from} holds something`).toBeDefined();
      expect(slots[to], `slot ${to} is free`).toBeUndefined();
      return { to, holder: slots[from] };
    });
    for (const { to, holder } of copies) slots[to] = holder;
    peak = Math.max(peak, endOf(slots));
    for (const { from } of ways) slots[from] = undefined;
    epochs.push(ways.length);
    ends.push(endOf(slots));
  }
  return { slots, units: epochs.reduce((sum, each) => sum + each, 0), epochs, peak, ends };
}

function endOf(slots: Slots): number {
  return slots.findLastIndex((holder) => holder !== undefined) + 1;
}

function expectForetold(schedule: Schedule, seen: Seen, unitSize: number): void {
  const { bytesMoved, epochCount, peakEnd, end } = schedule;
  expect({ bytesMoved, epochCount, peakEnd, end }).toEqual({
    bytesMoved: seen.units * unitSize,
    epochCount: seen.epochs.length,
    peakEnd: seen.peak * unitSize,
    end: endOf(seen.slots) * unitSize,
  });
  expect([...schedule.epochs()]).toEqual([...schedule.epochs()]);
}

/** Slots of a file: free, fixed or to go to one of a set of slots, some of them free. */
const fixedWorld = fc
  .record({
    unitSize: fc.constantFrom(512, 4096, 65536),
    kinds: fc.array(fc.constantFrom("free", "fixed", "moving", "moving", "moving", "moving"), {
      minLength: 2,
      maxLength: 80,
    }),
    shape: fc.constantFrom("random", "random", "shifted", "reversed", "pairs"),
    seeds: fc.array(fc.nat(2 ** 30), { minLength: 80, maxLength: 80 }),
    shift: fc.integer({ min: 1, max: 9 }),
    spares: fc.constantFrom(0, 0.5, 1, 2, 3, 7, 30, 1000),
    mostMoves: fc.constantFrom(0.5, 1, 2, 3, 5, 8, 40, 1000),
    asRuns: fc.boolean(),
    fromBehind: fc.boolean(),
  })
  .map(({ kinds, shape, seeds, shift, fromBehind, ...rest }) => {
    const movable = [...kinds.keys()].filter((at) => kinds[at] !== "fixed");
    const slots: Slots = kinds.map((kind, at) => (kind === "free" ? undefined : at));
    const other = targets(movable, shape, seeds, shift);
    const ways = movable.flatMap((from, at) => {
      const to = other[at] as number;
      return kinds[from] === "moving" && from !== to ? [{ from, to }] : [];
    });
    // Where one goes must be free, or left: what was drawn to stay moves along if it lies in the way.
    for (let blocked = true; blocked; ) {
      const leaving = new Set(ways.map(({ from }) => from));
      const at = ways.findIndex(({ to }) => slots[to] !== undefined && !leaving.has(to));
      blocked = at >= 0;
      if (blocked) ways.splice(at, 1);
    }
    return { ...rest, slots, ways: fromBehind ? ways.toReversed() : ways };
  });

function targets(slots: readonly number[], shape: string, seeds: readonly number[], shift: number): number[] {
  if (shape === "shifted") return slots.map((_, at) => slots[(at + shift) % slots.length] as number);
  if (shape === "reversed") return slots.toReversed();
  if (shape === "pairs") return slots.map((slot, at) => slots[at ^ 1] ?? slot);
  return slots.toSorted((a, b) => (seeds[a] as number) - (seeds[b] as number));
}

test("each unit comes where it is wanted, nothing live is written, and all is as foretold and proven", () => {
  fc.assert(
    fc.property(fixedWorld, ({ unitSize, slots, ways, spares, mostMoves, asRuns }) => {
      const used = usedOf(slots);
      const wanted = movesOf(ways, unitSize, asRuns);
      const spareStart = slots.length * unitSize;
      const epochBytes = mostMoves * unitSize;
      const input = { unitSize, wanted, used, spareStart, spareBytes: spares * unitSize, epochBytes };
      const schedule = scheduleFixed(input);
      const seen = simulate(schedule, slots, unitSize);
      const expected = slots.map((holder, at) => (ways.some(({ from }) => from === at) ? undefined : holder));
      for (const { from, to } of ways) expected[to] = from;
      expect(seen.slots.slice(0, expected.length)).toEqual(expected);
      expectForetold(schedule, seen, unitSize);
      expect(schedule.moveCount).toBe(seen.units);
      for (const units of seen.epochs) {
        expect(units).toBeGreaterThan(0);
        expect(units).toBeLessThanOrEqual(Math.max(1, mostMoves));
      }
      const mostSpares = Math.max(1, Math.floor(spares));
      expect(seen.peak).toBeLessThanOrEqual(slots.length + mostSpares);
      const least = ways.length + cycleCount(ways);
      expect(leastBytesMoved(input)).toBe(least * unitSize);
      expect(seen.units).toBeGreaterThanOrEqual(least);
      expect(seen.units).toBeLessThanOrEqual(least + mostSpares);
      expect(seen.epochs.length).toBeLessThanOrEqual(epochsAllowed(slots, ways, Math.max(1, Math.floor(mostMoves))));
      const allowed = mostMoves >= ways.length ? epochsThatSparesAllow(ways, spares) : undefined;
      if (allowed !== undefined) expect(seen.epochs.length).toBeLessThanOrEqual(allowed);
      proveSchedule(input, schedule);
    }),
    { numRuns: 1500 },
  );
});

/**
 * No more than the artless one takes. Only where moves are so few that chains wait for one another may it be more, yet
 * less than twice as many (R. L. Graham, Bounds for Certain Multiprocessing Anomalies, 1966): a chain that has begun goes
 * on to its end, and the last may be alone, where he moves a few units of each by turns.
 */
function epochsAllowed(before: Slots, ways: readonly Way[], mostMoves: number): number {
  const artless = epochsOfTheArtless(before, ways, mostMoves);
  return mostMoves < chainCount(ways) ? 2 * artless - 1 : artless;
}

/** Of one who moves whatever finds its place free, and puts one unit aside, ever in the same spare, where nothing does. */
function epochsOfTheArtless(before: Slots, ways: readonly Way[], mostMoves: number): number {
  const taken = new Set(before.flatMap((holder, at) => (holder === undefined ? [] : [at])));
  const left = new Map(ways.map(({ from, to }) => [from, to]));
  const spare = before.length + ways.length;
  let epochs = 0;
  for (; left.size > 0; epochs++) {
    const ready = [...left].filter(([, to]) => !taken.has(to)).slice(0, mostMoves);
    const [blocked] = left;
    if (ready.length === 0 && blocked) {
      const [from, to] = blocked;
      left.delete(from);
      left.set(spare, to);
      taken.add(spare);
      taken.delete(from);
    }
    for (const [, to] of ready) taken.add(to);
    for (const [from] of ready) {
      left.delete(from);
      taken.delete(from);
    }
  }
  return epochs;
}

/**
 * In so many epochs each chain is done if spares cut it into pieces that are no longer, one of which needs none; each
 * cycle too, whose pieces all need one, and an epoch more. Undefined where cycles have to wait for one another's spares.
 */
function epochsThatSparesAllow(ways: readonly Way[], wished: number): number | undefined {
  const next = new Map(ways.map(({ from, to }) => [from, to]));
  const lengthFrom = (start: number): number => {
    let length = 0;
    for (let at: number | undefined = start; at !== undefined && next.has(at); at = next.get(at)) length++;
    return length;
  };
  const entered = new Set(next.values());
  const chains = [...next.keys()].filter((at) => !entered.has(at)).map(lengthFrom);
  const cycles = cycleLengths(next);
  // Nothing at all is one where a cycle asks for it.
  const spares = wished === 0 && cycles.length === 0 ? 0 : Math.max(1, Math.floor(wished));
  if (cycles.length > spares) return undefined;
  // In fewer than three a spare saves nothing.
  for (let epochs = 3; ; epochs++) {
    const ofChains = chains.reduce((sum, length) => sum + Math.max(0, Math.ceil((length - epochs) / (epochs - 1))), 0);
    const ofCycles = cycles.reduce((sum, length) => sum + Math.ceil(length / (epochs - 1)), 0);
    if (ofChains + ofCycles <= spares) return epochs;
  }
}

/** Chains and cycles. */
function chainCount(ways: readonly Way[]): number {
  const entered = new Set(ways.map(({ from }) => from));
  return ways.filter(({ to }) => !entered.has(to)).length + cycleCount(ways);
}

function cycleCount(ways: readonly Way[]): number {
  return cycleLengths(new Map(ways.map(({ from, to }) => [from, to]))).length;
}

function cycleLengths(next: ReadonlyMap<number, number>): number[] {
  const lengths: number[] = [];
  for (const start of next.keys()) {
    let at: number | undefined = start;
    const walked: number[] = [];
    while (at !== undefined && next.has(at) && !walked.includes(at)) {
      walked.push(at);
      at = next.get(at);
    }
    // Told once, by the first of its places.
    if (at === start && Math.min(...walked) === start) lengths.push(walked.length);
  }
  return lengths;
}

/** Pieces of one unit or several, fixed ones, and holes. */
const compactWorld = fc
  .record({
    unitSize: fc.constantFrom(512, 65536),
    row: fc.array(
      fc.record({
        kind: fc.constantFrom("hole", "hole", "single", "single", "single", "long", "fixed"),
        length: fc.integer({ min: 1, max: 6 }),
      }),
      { maxLength: 60 },
    ),
    hasFixed: fc.boolean(),
    hasLong: fc.boolean(),
    mostMoves: fc.constantFrom(0.5, 1, 2, 5, 1000),
  })
  .map(({ row, hasFixed, hasLong, ...rest }) => {
    const slots: Slots = [0];
    const pieces: Piece[] = [];
    for (const { kind, length } of row) {
      const isFixed = kind === "fixed" && hasFixed && length === 1;
      const isLong = kind === "long" && hasLong;
      if (isLong && length > 1) pieces.push({ at: slots.length, length });
      for (let unit = 0; unit < length; unit++) {
        const isSingle = kind !== "hole" && !isFixed && !(isLong && length > 1);
        if (isSingle) pieces.push({ at: slots.length, length: 1 });
        slots.push(kind === "hole" ? undefined : slots.length);
      }
    }
    return { ...rest, slots, pieces };
  });

test("compact: pieces stay whole, each is moved once at most, and the file is as short as what is used", () => {
  fc.assert(
    fc.property(compactWorld, ({ unitSize, slots, pieces, mostMoves }) => {
      const used = usedOf(slots);
      const input = {
        unitSize,
        used,
        pieces: {
          count: pieces.length,
          hostOffset: Float64Array.from(pieces, ({ at }) => at * unitSize),
          length: Float64Array.from(pieces, ({ length }) => length * unitSize),
        },
        epochBytes: mostMoves * unitSize,
      };
      const schedule = scheduleCompact(input);
      const seen = simulate(schedule, slots, unitSize);
      expectForetold(schedule, seen, unitSize);
      const movable = new Set(pieces.flatMap(({ at, length }) => Array.from({ length }, (_, unit) => at + unit)));
      for (const [at, holder] of slots.entries()) {
        if (holder !== undefined && !movable.has(at)) expect(seen.slots[at]).toBe(holder);
      }
      let moved = 0;
      for (const { at, length } of pieces) {
        const now = seen.slots.indexOf(at);
        for (let unit = 0; unit < length; unit++) expect(seen.slots[now + unit]).toBe(at + unit);
        if (now === at) continue;
        moved++;
        expect(now).not.toBe(-1);
        const madeRoom = pieces.some((each) => each.length > 1 && each.at === holderStart(seen.slots, pieces, at));
        expect((at + length) * unitSize > schedule.end || (length === 1 && madeRoom)).toBe(true);
      }
      expect(schedule.moveCount).toBe(moved);
      const longest = Math.max(1, ...pieces.map(({ length }) => length));
      for (const units of seen.epochs) expect(units).toBeLessThanOrEqual(Math.max(1, mostMoves, longest));
      const fixedEnd = 1 + slots.findLastIndex((holder, at) => holder !== undefined && !movable.has(at));
      const least = Math.max(used.markedCount, fixedEnd);
      expect(schedule.end).toBeGreaterThanOrEqual(least * unitSize);
      expect(schedule.end).toBeLessThanOrEqual(endOf(slots) * unitSize);
      if (longest === 1) {
        expect(schedule.end).toBe(least * unitSize);
        for (const [at, end] of seen.ends.entries()) expect(end).toBeLessThan(seen.ends[at - 1] ?? Number.MAX_VALUE);
      }
      proveSchedule(input, schedule);
    }),
    { numRuns: 2000 },
  );
});

/** Where the piece lay at first that now covers this slot. */
function holderStart(slots: Slots, pieces: readonly Piece[], slot: number): number | undefined {
  const holder = slots[slot];
  if (holder === undefined) return undefined;
  return pieces.find(({ at, length }) => holder >= at && holder < at + length)?.at;
}
