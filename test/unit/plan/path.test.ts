/** The way from what an image is to what it shall be: names of formats play no part in it. */

import { describe, expect, test } from "vitest";
import {
  type GatheringStand,
  type PathFrom,
  type PathWishes,
  pathTo,
  type Step,
  type Waypoint,
} from "../../../src/plan/path.ts";

const plain = { isInOnePiece: false, by: undefined, canRearrange: false } as const;
const carrier: Waypoint = { ...plain, format: "carrier", canRearrange: true };
const tables: Waypoint = { ...plain, format: "tables" };
const piece: Waypoint = { ...plain, format: "piece", isInOnePiece: true };
const footed: Waypoint = { ...plain, format: "footed", isInOnePiece: true, by: piece };
const described: Waypoint = { ...footed, format: "described" };

/** Of units that lie where the goal can't point at them. */
function gathering(more: Partial<GatheringStand> = {}): GatheringStand {
  return { by: "hub", isHere: false, isIdle: false, room: { end: 9, spareBytes: 2, options: {} }, ...more };
}

const NONE: PathWishes = { compact: false, compress: false };

function from(waypoint: Waypoint, more: Partial<PathFrom> = {}): PathFrom {
  return { ...waypoint, isAsAsked: false, standing: "elsewhere", ...more };
}

/** `-> format` of a switch, `-9> format` of one that clears so many bytes at the front, `=> format` of one to the goal, `~> format` of one to the carrier, or the goal of a rearrangement. */
function said(steps: readonly Step[]): string {
  const words = steps.map((step) => {
    if (step.step === "rearrange") return step.goal;
    if (step.front !== undefined) return `-${step.front}> ${step.to}`;
    return `${step.isCarrier ? "~>" : step.isGoal ? "=>" : "->"} ${step.to}`;
  });
  return words.join(", ");
}

describe("a path", () => {
  test.each<[string, PathFrom, Waypoint, PathWishes, string]>([
    ["tables to tables", from(tables), carrier, NONE, "=> carrier"],
    ["a piece to tables", from(piece), tables, NONE, "=> tables"],
    ["a piece to tables, compact", from(piece), carrier, { ...NONE, compact: true }, "=> carrier, compact"],
    ["compressed", from(tables), carrier, { compact: true, compress: true }, "=> carrier, encode, compact"],
    ["to what can't be compacted", from(piece), tables, { ...NONE, compact: true }, "=> tables"],
    ["tables to a piece", from(tables), piece, NONE, "~> carrier, linear, => piece"],
    ["out of the way already", from(carrier, { standing: "cleared" }), piece, NONE, "linear, => piece"],
    ["in place already", from(carrier, { standing: "in place" }), piece, NONE, "=> piece"],
    [
      "tables that the carrier can't point at, to a piece",
      from(tables, { gathering: gathering() }),
      piece,
      NONE,
      "~> hub, gather, ~> carrier, linear, => piece",
    ],
    [
      "the same, in the hub already, its tables out of the way as a carrier's would be",
      from({ ...tables, format: "hub" }, { standing: "cleared", gathering: gathering({ isHere: true }) }),
      piece,
      NONE,
      "gather, ~> carrier, linear, => piece",
    ],
    [
      "and gathered",
      from({ ...tables, format: "hub" }, { standing: "cleared" }),
      piece,
      NONE,
      "~> carrier, linear, => piece",
    ],
    [
      "to what is reached by a piece",
      from(tables, { gathering: gathering() }),
      footed,
      NONE,
      "~> hub, gather, ~> carrier, linear, -> piece, => footed",
    ],
    [
      "to a stream",
      from(tables, { gathering: gathering() }),
      { ...tables, format: "stream", isPacked: true },
      NONE,
      "~> hub, gather, ~> carrier, pack, => stream",
    ],
    [
      "to a stream, gathered",
      from({ ...tables, format: "hub" }, { standing: "cleared" }),
      { ...tables, format: "stream", isPacked: true },
      NONE,
      "~> carrier, pack, => stream",
    ],
    ["tables to what is reached by a piece", from(tables), footed, NONE, "~> carrier, linear, -> piece, => footed"],
    ["a piece to what is reached by it", from(piece), footed, NONE, "=> footed"],
    ["and back", from(footed), piece, NONE, "=> piece"],
    ["from there to tables", from(footed), carrier, { ...NONE, compact: true }, "-> piece, => carrier, compact"],
    ["from one such to another", from(footed), described, NONE, "-> piece, => described"],
    ["nothing is left", from(carrier, { isAsAsked: true }), carrier, NONE, ""],
    ["but what is wished", from(carrier, { isAsAsked: true }), carrier, { ...NONE, compact: true }, "compact"],
    ["to what begins with tables", from(tables, { front: 9 }), tables, NONE, "-9> carrier, => tables"],
    ["where their place is free", from(tables, { goalFront: 9 }), tables, NONE, "=> tables"],
    ["from a piece to such", from(piece, { front: 9, goalFront: 9 }), tables, NONE, "-9> carrier, => tables"],
    ["by a piece to such", from(footed, { front: 9, goalFront: 9 }), tables, NONE, "-> piece, -9> carrier, => tables"],
    ["such again, otherwise", from(carrier, { front: 9 }), carrier, NONE, "-9> carrier, => carrier"],
    ["such, in one piece", from(tables, { front: 0 }), piece, NONE, "~> carrier, linear, => piece"],
    [
      "units to be brought together",
      from(tables, { gathering: gathering() }),
      tables,
      NONE,
      "~> hub, gather, => tables",
    ],
    [
      "where tables are out of the way",
      from(tables, { gathering: gathering({ isHere: true }) }),
      tables,
      NONE,
      "gather, => tables",
    ],
    [
      "or nothing is stored",
      from(tables, { gathering: gathering({ isIdle: true }) }),
      tables,
      NONE,
      "~> hub, => tables",
    ],
    [
      "from what is reached by a piece, compact",
      from(footed, { front: 9, goalFront: 9, gathering: gathering() }),
      carrier,
      { ...NONE, compact: true },
      "-> piece, ~> hub, gather, => carrier, compact",
    ],
    ["or can't be", from(tables, { isAsAsked: true }), tables, { ...NONE, compact: true }, ""],
  ])("%s", (_, start, goal, wishes, expected) => {
    expect(said(pathTo(start, goal, carrier, wishes))).toBe(expected);
  });

  test("asked again behind each of its steps it is the rest of the way", () => {
    const front = { front: 9, goalFront: 9 };
    const byFront = pathTo(from(footed, front), tables, carrier, NONE);
    for (const [taken, stand] of [
      from(piece, front),
      from(carrier, { front: 0, goalFront: 9 }),
      from(tables, { isAsAsked: true, ...front }),
    ].entries())
      expect(said(pathTo(stand, tables, carrier, NONE))).toBe(said(byFront.slice(taken + 1)));
    const way = pathTo(from(tables), footed, carrier, NONE);
    const stands: PathFrom[] = [
      from(carrier, { standing: "cleared" }),
      from(carrier, { standing: "in place" }),
      from(piece),
      from(footed, { isAsAsked: true }),
    ];
    for (const [taken, stand] of stands.entries()) {
      expect(said(pathTo(stand, footed, carrier, NONE))).toBe(said(way.slice(taken + 1)));
    }
  });
});
