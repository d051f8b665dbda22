/** What is brought together, and where room for it is. */

import type { Mutation } from "./mutation.ts";

const schedule = "test/property/gather-schedule.property.test.ts";
const proof = "test/unit/plan/gather-proof.test.ts";
const units = "test/unit/plan/place-units.test.ts";
const space = "test/unit/convert/rearrange/space-taken.test.ts";
const vhd = "test/unit/formats/vpc/dynamic-target.test.ts";

export const gatherMutations: readonly Mutation[] = [
  {
    name: "a unit stays that reaches into what comes behind",
    file: "plan/place-units.ts",
    find: "unitEnd <= copyStart &&",
    replace: "",
    tests: ["test/property/convert.property.test.ts > qcow of version 1"],
  },
  {
    name: "a journal does not tell what a target takes over",
    file: "convert/conversion/switch-step.ts",
    find: "plan.takenOver.total > 0 &&",
    replace: "plan.takenOver.total < 0 &&",
    tests: ["test/crash/gathered.test.ts"],
  },
  {
    name: "a unit comes to a slot that a piece reaches into",
    file: "plan/schedule/gather.ts",
    find: "if (at + pieceSize > start && at < start + slots.pitch) yield piece;",
    replace: "if (at >= start && at < start + slots.pitch) yield piece;",
    tests: [schedule],
  },
  {
    name: "what was left in this epoch is a spare at once",
    file: "plan/schedule/gather.ts",
    find: "    vacated.push(from);\n",
    replace: "    vacated.push(from);\n    this.#spares.add(from);\n",
    tests: [schedule],
  },
  {
    name: "two units that lie beside each other stay in one slot",
    file: "plan/schedule/gather.ts",
    find: "if (!isWhole || taken.has(slot)) continue;",
    replace: "if (!isWhole) continue;",
    tests: [schedule],
  },
  {
    name: "a gathering's proof forgets what was live at the last barrier",
    file: "plan/gather-proof.ts",
    find: "if (Math.abs(at - place) < this.#size)",
    replace: "if (at === place)",
    tests: [proof],
  },
  {
    name: "what a unit lacks is somebody's, and made zeros",
    file: "plan/place-units.ts",
    find: "gaps.every((gap) => isNobodys(gap.start, gap.end));",
    replace: "gaps.length >= 0;",
    tests: [units],
  },
  {
    name: "a dynamic VHD's table lies where its next block will",
    file: "formats/vpc/dynamic/target.ts",
    find: "const tableOffset = Math.max(additiveStart, grownEnd);",
    replace: "const tableOffset = additiveStart;",
    tests: [vhd],
  },
  {
    name: "a dynamic VHD is cut before its footer is there",
    file: "formats/vpc/dynamic/settling.ts",
    find: '      { purpose: "write the footer behind the last block", writes: () => [{ hostOffset: end, bytes: sector }] },\n',
    replace: "",
    tests: [vhd],
  },
  {
    name: "what lies behind the last block shows once the table is pointed at",
    file: "formats/vpc/dynamic/settling.ts",
    find: "        zeros: RangeSet.of({ start: end, end: batOffset }),\n",
    replace: "",
    tests: [vhd],
  },
  {
    name: "old places are given back an epoch too late",
    file: "convert/rearrange/bring-together.ts",
    find: 'addPlaces(pending, epochs[at - 1], "fromHostOffset");',
    replace: 'addPlaces(pending, epochs[at - 2], "fromHostOffset");',
    tests: [space],
  },
  {
    name: "what the carrier can't point at is copied behind all there is",
    file: "convert/conversion/steps.ts",
    find: "isInOnePiece || isPacked ? {",
    replace: "false ? {",
    tests: [space],
  },
  {
    name: "copies of holes are blocks of zeros",
    file: "convert/execute/execute.ts",
    find: "if (isZeros) zeros.add(toHostOffset + start, toHostOffset + end);",
    replace: "if (isZeros && storage === undefined) zeros.add(0, 0);",
    tests: [space],
  },
  {
    name: "the journal is told without what comes to the front",
    file: "convert/execute/space.ts",
    find: "return header + commitBytes(plan.commit) + JOURNAL_FACTS_SIZE;",
    replace: "return header + JOURNAL_FACTS_SIZE;",
    tests: [space],
  },
];
