/** Defects in the schedule of a rearrangement and in the proof that stands against it. */

import type { Mutation } from "./mutation.ts";
import { schedule, scheduleProof, schedulesAtRandom } from "./suspects.ts";

export const scheduleMutations: readonly Mutation[] = [
  {
    name: "a spare is given again before it is free",
    file: "plan/schedule/timetable.ts",
    find: "const end = epoch + epochCount;",
    replace: "const end = epoch + epochCount - 1;",
    tests: [schedule, schedulesAtRandom],
  },
  {
    name: "a spared unit never comes home",
    file: "plan/schedule/fixed.ts",
    find: "moves.add(isSpared ? spareOf((track + 1) % width) : place(unit + 1), place(unit));",
    replace: "moves.add(place(unit + 1), place(unit));",
    tests: [schedule, schedulesAtRandom],
  },
  {
    name: "a chain gets a spare more than it needs",
    file: "plan/schedule/timetable.ts",
    find: "Math.ceil((length - limit) / (limit - 1))",
    replace: "Math.ceil(length / (limit - 1))",
    tests: [schedule, schedulesAtRandom],
  },
  {
    name: "more is copied than an epoch may hold",
    file: "plan/schedule/timetable.ts",
    find: "if (spareCount > this.#sparesFree || width > this.#movesFree) return false;",
    replace: "if (spareCount > this.#sparesFree) return false;",
    tests: [schedule, schedulesAtRandom],
  },
  {
    name: "what stays may lie where another is to go",
    file: "plan/schedule/chains.ts",
    find: `if (used.has(place)) throw impossible("something`,
    replace: `if (place < 0) throw impossible("something`,
    tests: [schedule],
  },
  {
    name: "a run is put where a longer one would fit",
    file: "plan/schedule/shelf.ts",
    find: "this.#longest = mostAsked + 1;",
    replace: "this.#longest = mostAsked;",
    tests: [schedule],
  },
  {
    name: "singles do not wait for what a long piece leaves",
    file: "plan/schedule/compact.ts",
    find: "const hasToWait = ways === intoRoom || (ways === singles && singlesWait);",
    replace: "const hasToWait = ways === intoRoom;",
    tests: [schedule, schedulesAtRandom],
  },
  {
    name: "a long piece does not wait for the room that is made",
    file: "plan/schedule/compact.ts",
    find: "if (room < mostUnits && hasToWait && ways.count > 0) {",
    replace: "if (room < mostUnits && hasToWait && ways === singles) {",
    tests: [schedule, schedulesAtRandom],
  },
  {
    name: "a long piece may be cut",
    file: "plan/schedule/compact.ts",
    find: "const now = isWhole ? left : Math.min(left, room);",
    replace: "const now = Math.min(left, room);",
    tests: [schedule, schedulesAtRandom],
  },
  {
    name: "room is made by asking those that may not leave",
    file: "plan/schedule/making-room.ts",
    find: "if (taken.has(at) || (isUsed && !single.has(at))) {",
    replace: "if (taken.has(at)) {",
    tests: [schedule, schedulesAtRandom],
  },
  {
    name: "a place may be written that was live at the last barrier",
    file: "plan/schedule-proof.ts",
    find: "if (this.holder((to + at) / unitSize) !== undefined) {",
    replace: "if (this.holder((to + at) / unitSize) === -1) {",
    tests: [scheduleProof],
  },
  {
    name: "a unit may go anywhere by way of a spare",
    file: "plan/schedule-proof.ts",
    find: "if (!isSpare || from !== origin) throw",
    replace: "if (!isSpare) throw",
    tests: [scheduleProof],
  },
  {
    name: "a schedule need not bring all home",
    file: "plan/schedule-proof.ts",
    find: `same("units lie where they are wanted", this.#arrived, units);`,
    replace: "",
    tests: [scheduleProof],
  },
  {
    name: "compact may move what need not move",
    file: "plan/schedule-proof.ts",
    find: "if (!isLong) throw",
    replace: "if (place < 0) throw",
    tests: [scheduleProof],
  },
  {
    name: "something may be left past the end",
    file: "plan/schedule-proof.ts",
    find: "if (this.#past !== 0) throw",
    replace: "if (this.#past < 0) throw",
    tests: [scheduleProof],
  },
  {
    name: "more barriers than the spares allow",
    file: "plan/schedule/timetable.ts",
    find: "  return high;",
    replace: "  return high * 4;",
    tests: [schedulesAtRandom],
  },
];
