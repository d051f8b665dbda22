/** Units gathered in random files, judged by a simulator that moves letters between sectors and knows nothing of `src/plan`. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RangeSet } from "../../src/bytes/range-set.ts";
import { proveGathering } from "../../src/plan/gather-proof.ts";
import { type GatherInput, leastSpares, type Schedule, scheduleGather } from "../../src/plan/schedule.ts";
import { seededRandom } from "../support/random.ts";

const SECTOR = 512;

interface Shape {
  /** Sectors of a piece, pieces of a unit. */
  readonly piece: number;
  readonly perUnit: number;
  readonly leadIn: number;
  readonly isDense: boolean;
  readonly order: "as it is" | "units strewn" | "pieces strewn";
  /** Sectors that the first piece lies behind the front. */
  readonly shift: number;
  /** Sectors between two units. */
  readonly between: number;
  /** Of a hundred pieces those that are stored nowhere. */
  readonly holes: number;
  readonly unitCount: number;
  readonly spareUnits: number;
  readonly seed: number;
}

const shapes = fc.record<Shape>({
  piece: fc.constantFrom(1, 2, 8),
  perUnit: fc.constantFrom(1, 2, 4, 8),
  leadIn: fc.constantFrom(0, 0, 1),
  isDense: fc.boolean(),
  order: fc.constantFrom("as it is", "units strewn", "pieces strewn"),
  shift: fc.integer({ min: 0, max: 20 }),
  between: fc.constantFrom(0, 0, 1, 3),
  holes: fc.constantFrom(0, 0, 20, 80),
  unitCount: fc.integer({ min: 0, max: 60 }),
  spareUnits: fc.constantFrom(0, 1, 3, 8),
  seed: fc.nat(2 ** 30),
});

function worldOf(shape: Shape): GatherInput {
  const { piece, perUnit, leadIn, isDense, order, shift, between, holes, unitCount, spareUnits, seed } = shape;
  const random = seededRandom(seed);
  const pieceSize = piece * SECTOR;
  const unitSize = pieceSize * perUnit;
  const pitch = unitSize + leadIn * SECTOR;
  const units = Array.from({ length: unitCount }, (_, unit) =>
    Array.from({ length: perUnit }, (_, at) => unit * 3 * unitSize + at * pieceSize).filter(
      (_, at) => random.below(100) >= holes || (at === 0 && unit % 2 === 0),
    ),
  ).filter((pieces) => pieces.length > 0);
  const runs =
    order === "pieces strewn"
      ? random.shuffle(units.flat()).map((guest) => [guest])
      : order === "units strewn"
        ? random.shuffle([...units])
        : units;
  const first = alignUp(SECTOR, leadIn > 0 ? SECTOR : unitSize);
  const hostOf = new Map<number, number>();
  let host = first + shift * SECTOR;
  for (const run of runs) {
    for (const guest of run) {
      hostOf.set(guest, host);
      host += pieceSize;
    }
    host += between * SECTOR;
  }
  const guestOffset = Float64Array.from(units.flat());
  const hostOffset = guestOffset.map((guest) => hostOf.get(guest) as number);
  const slots = { first, leadIn: leadIn * SECTOR, unitSize, pitch, isDense: isDense || leadIn > 0 };
  const end = alignUp(Math.max(host, first + units.length * pitch), pieceSize);
  const spareBytes = Math.max(leastSpares(slots, pieceSize), spareUnits * pitch);
  const spares = Array.from({ length: Math.floor(spareBytes / pieceSize) }, (_, at) => end + at * pieceSize);
  const limit = end + alignUp(spareBytes, pieceSize);
  const pieces = { guestOffset, hostOffset };
  return { slots, pieces, pieceSize, spares, behind: limit + 3 * pieceSize, epochBytes: spareBytes, limit };
}

function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** Which sector of which piece each sector holds in the end; refuses whatever is written where something was live. */
function simulate({ pieces, pieceSize }: GatherInput, schedule: Schedule) {
  const sectors = new Map<number, string>();
  for (const [piece, host] of pieces.hostOffset.entries())
    for (let at = 0; at < pieceSize; at += SECTOR) sectors.set(host + at, `${piece}:${at}`);
  let moved = 0;
  for (const { count, fromHostOffset, toHostOffset, length } of schedule.epochs()) {
    const written = new Map<number, string>();
    const left: number[] = [];
    for (let run = 0; run < count; run++)
      for (let at = 0; at < (length[run] as number); at += SECTOR) {
        const [from, to] = [(fromHostOffset[run] as number) + at, (toHostOffset[run] as number) + at];
        if (sectors.has(to) || written.has(to)) expect.fail(`sector ${to} was live`);
        written.set(to, sectors.get(from) as string);
        left.push(from);
        moved += SECTOR;
      }
    for (const from of left) if (!sectors.delete(from)) expect.fail(`nothing lay at ${from}`);
    for (const [to, what] of written) sectors.set(to, what);
  }
  return { sectors, moved };
}

function expectGathered({ slots, pieces, pieceSize }: GatherInput, sectors: ReadonlyMap<number, string>): number {
  const slotOf = new Map<number, number>();
  const placeOf = new Map([...sectors].map(([host, what]) => [what, host]));
  for (const [piece, guest] of pieces.guestOffset.entries()) {
    const unit = Math.floor(guest / slots.unitSize);
    const start = (placeOf.get(`${piece}:0`) as number) - (guest % slots.unitSize) - slots.leadIn;
    const slot = (start - slots.first) / slots.pitch;
    expect(Number.isInteger(slot) && slot >= 0).toBe(true);
    expect(slotOf.get(unit) ?? slot).toBe(slot);
    slotOf.set(unit, slot);
    for (let at = 0; at < pieceSize; at += SECTOR)
      if (placeOf.get(`${piece}:${at}`) !== start + slots.leadIn + (guest % slots.unitSize) + at)
        expect.fail(`piece ${piece} is torn`);
  }
  expect(new Set(slotOf.values()).size).toBe(slotOf.size);
  if (slots.isDense) expect([...slotOf.values()].sort((a, b) => a - b)).toEqual([...slotOf.keys()].map((_, at) => at));
  return slotOf.size;
}

test("each unit comes to a slot of its own, nothing live is written, all is as foretold and proven", () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const input = worldOf(shape);
      const schedule = scheduleGather(input);
      const { sectors, moved } = simulate(input, schedule);
      const units = expectGathered(input, sectors);
      expect(schedule.bytesMoved).toBe(moved);
      const { slots, pieces, pieceSize, behind } = input;
      expect(moved).toBeLessThanOrEqual(
        (pieces.hostOffset.length + units * (Math.ceil(slots.pitch / pieceSize) + 1)) * pieceSize,
      );
      // Nothing but the spares that were given was needed.
      expect(schedule.peakEnd).toBeLessThanOrEqual(behind);
      proveGathering(input, RangeSet.of({ start: 0, end: SECTOR }), schedule);
    }),
    { numRuns: 250, seed: 2011 },
  );
});

describe("what is moved, in parts of what is stored", () => {
  const base: Shape = {
    piece: 8,
    perUnit: 8,
    leadIn: 0,
    isDense: true,
    order: "as it is",
    shift: 2,
    between: 0,
    holes: 0,
    unitCount: 2000,
    spareUnits: 16,
    seed: 5,
  };
  test.each<[string, Partial<Shape>, number]>([
    ["shifted", {}, 1.02],
    ["shifted, each behind a lead-in", { leadIn: 1 }, 1.06],
    ["apart by a sector", { between: 1 }, 1.02],
    ["units of one piece, in any order", { perUnit: 1, order: "pieces strewn" }, 1.08],
    ["units in any order", { order: "units strewn" }, 1.02],
    ["units in any order, each behind a lead-in", { order: "units strewn", leadIn: 1 }, 1.06],
    ["pieces in any order", { order: "pieces strewn" }, 2],
    ["few pieces of a unit", { holes: 80 }, 1.5],
    ["few pieces of a unit, in any order", { holes: 80, order: "pieces strewn" }, 1.5],
  ])("%s", (_, more, most) => {
    const input = worldOf({ ...base, ...more });
    const schedule = scheduleGather(input);
    proveGathering(input, RangeSet.of({ start: 0, end: SECTOR }), schedule);
    const stored = input.pieces.hostOffset.length * input.pieceSize;
    expect(schedule.bytesMoved / stored).toBeLessThanOrEqual(most);
  });
});
