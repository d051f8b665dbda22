import { describe, expect, it } from "vitest";
import { Bitmap } from "../../../src/bytes/bitmap.ts";
import { NO_PIECE, PieceTable } from "../../../src/image/piece-table.ts";
import { seededRandom } from "../../support/random.ts";

const PLACES = 2000;

/** Header, and pieces of one to three clusters, some with a cluster that stays before them. */
function anyTable(seed: number): { table: PieceTable; where: Map<number, [place: number, length: number]> } {
  const random = seededRandom(seed);
  const used = new Bitmap(PLACES);
  const where = new Map<number, [number, number]>([[0, [0, 1]]]);
  used.mark(0, 1);
  for (let next = 1; next < PLACES / 2; ) {
    const length = random.pick([1, 1, 1, 2, 3]);
    const isPiece = random.chance(0.8);
    if (isPiece) where.set(where.size, [next, length]);
    if (isPiece || random.chance(0.5)) used.mark(next, length);
    next += length + random.pick([0, 0, 1, 5]);
  }
  const long = [...where].filter(([, [, length]]) => length > 1);
  const columns = {
    piece: Uint32Array.from(long, ([piece]) => piece),
    length: Uint32Array.from(long, ([, [, length]]) => length),
  };
  return {
    table: new PieceTable(
      Uint32Array.from(where.values(), ([place]) => place),
      columns,
      used,
      512,
    ),
    where,
  };
}

describe("the table of pieces", () => {
  it("finds each by its place, wherever it has moved to, and none that was taken out", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { table, where } = anyTable(seed);
      const random = seededRandom(seed);
      for (let turn = 0; turn < 3000; turn++) {
        const piece = 1 + random.below(table.count - 1);
        const found = where.get(piece);
        if (found === undefined) continue;
        const [place, length] = found;
        const spot = random.below(PLACES);
        if (random.chance(0.1) && !table.used.has(spot)) where.set(table.add(spot), [spot, 1]);
        if (random.chance(0.02)) {
          table.takeOut(piece);
          where.delete(piece);
          expect(table.at(place)).toBe(NO_PIECE);
          continue;
        }
        const to = random.below(PLACES - length);
        if (table.used.nextMarked(to, to + length) < to + length) continue;
        table.move(piece, to);
        where.set(piece, [to, length]);
        expect(table.at(place)).toBe(NO_PIECE);
      }
      for (const [piece, [place, length]] of where) {
        expect([table.at(place), table.clusterOf(piece), table.lengthOf(piece)]).toEqual([piece, place, length]);
        expect(table.used.nextFree(place, place + length)).toBe(place + length);
      }
      for (const first of [0, 1, 700, PLACES]) {
        const { count, hostOffset, length } = table.movable(first);
        const expected = [...where.values()].filter(([place]) => place >= Math.max(1, first)).sort(([a], [b]) => a - b);
        expect(Array.from({ length: count }, (_, row) => [hostOffset[row], length[row]])).toEqual(
          expected.map(([place, clusters]) => [place * 512, clusters * 512]),
        );
      }
    }
  });

  it("knows which piece holds a cluster", () => {
    const { table, where } = anyTable(6);
    for (let cluster = 0; cluster < PLACES; cluster++) {
      const holder = [...where].find(([, [place, length]]) => place <= cluster && cluster < place + length);
      expect(table.holding(cluster)).toBe(holder?.[0] ?? NO_PIECE);
    }
  });
});
