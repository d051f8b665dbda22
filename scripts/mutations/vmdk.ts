/** What is believed of a sparse VMDK, and what stands in for its footer while the file's end is another. */

import type { Mutation } from "./mutation.ts";

const refused = "test/oracle/corpus.test.ts > refuse/vmdk/corrupt";
const reading = "test/unit/formats/vmdk/sparse.test.ts";
const cuts = "test/crash/anchor.test.ts";
const making = "test/unit/formats/vmdk/sparse-target.test.ts";
const front = "test/unit/convert/front.test.ts";
const mending = "test/crash/anchor.test.ts";

export const vmdkMutations: readonly Mutation[] = [
  {
    name: "a stream is taken for any grain's",
    file: "formats/vmdk/sparse/streams.ts",
    find: "if (sector !== guestOffset / SECTOR_SIZE) return",
    replace: "if (sector < 0) return",
    tests: [refused],
  },
  {
    name: "a stream may run into what lies behind it",
    file: "formats/vmdk/sparse/streams.ts",
    find: "if (GrainMarkerFields.size + length > room)",
    replace: "if (length > 2 ** 40)",
    tests: [refused],
  },
  {
    name: "any footer is the header's",
    file: "formats/vmdk/sparse/header.ts",
    find: "if (!isSame) throw",
    replace: "if (isSame && fileSize < 0) throw",
    tests: [refused],
  },
  {
    name: "a grain table may lie where another one does",
    file: "formats/vmdk/sparse/tables.ts",
    find: "sector - (sorted[at - 1] as number) < sectors",
    replace: "sector - (sorted[at - 1] as number) < -sectors",
    tests: [refused],
  },
  {
    name: "the markers of tables are nobody's",
    file: "formats/vmdk/sparse/grain-scan.ts",
    find: "if (isOne) metadata.add(hostOffset, hostOffset + SECTOR_SIZE);",
    replace: "",
    tests: [reading],
  },
  {
    name: "the mark that it is in use goes whatever else is wrong",
    file: "formats/vmdk/sparse/repair.ts",
    find: "corruptions + checkErrors === 0 && warnings === 1;",
    replace: "corruptions + checkErrors === 0;",
    tests: [reading],
  },
  {
    name: "a short last stream stays where whole ones are wanted",
    file: "plan/place-units.ts",
    find: "const isShort = hasShortTail && end - start < sourceClusterSize;",
    replace: "const isShort = hasShortTail && end < start;",
    tests: [reading],
  },
  {
    name: "a stream stays where the target has its header",
    file: "plan/place-units.ts",
    find: "const isFree = !placement.reserved.intersects(hostOffset, hostOffset + stored);",
    replace: "const isFree = !placement.reserved.intersects(hostOffset, hostOffset);",
    tests: [reading],
  },
  {
    name: "new tables lie behind a footer that is looked for at the end",
    file: "convert/switch/switch.ts",
    find: "  await anchorSource(session, journal);\n",
    replace: "",
    tests: [cuts],
  },
  {
    name: "the header that leaves it to a footer comes back before that is at the end",
    file: "convert/undo/switch-undo.ts",
    find: "const { intent, commitHostOffset, oldSector, anchor = oldSector, named } = journal.work;",
    replace: "const { intent, commitHostOffset, oldSector: anchor, named } = journal.work;",
    tests: [cuts],
  },
  {
    name: "the first block is mended with a header that leaves it to a footer which is not at the end",
    file: "convert/undo/commit-block.ts",
    find: "(anchor ?? oldSector)",
    replace: "oldSector",
    tests: [mending],
  },
  {
    name: "both directories of a new VMDK are one",
    file: "formats/vmdk/sparse/target.ts",
    find: "redundantDirectory: redundant.directory",
    replace: "redundantDirectory: first.directory",
    tests: [making],
  },
  {
    name: "a grain may lie on the descriptor's place",
    file: "formats/vmdk/sparse/target.ts",
    find: "hostOffset < FRONT ||",
    replace: "hostOffset < SECTOR_SIZE ||",
    tests: [making],
  },
  {
    name: "of tables at once those behind the first have its grains",
    file: "formats/vmdk/sparse/target.ts",
    find: "{ firstGrain: first * ENTRY_COUNT, grainSize }",
    replace: "{ firstGrain: 0, grainSize }",
    tests: [making],
  },
  {
    name: "a VMDK's disk may have any size",
    file: "formats/vmdk/sparse/draft.ts",
    find: "if (source.virtualSize > MAX_SPARSE_SIZE)",
    replace: "if (source.virtualSize > 2 * MAX_SPARSE_SIZE)",
    tests: [making],
  },
  {
    name: "a descriptor takes any name",
    file: "formats/vmdk/sparse/draft.ts",
    find: "whyNoPlainName(fileName) === undefined ? fileName",
    replace: "fileName !== whyNoPlainName.name ? fileName",
    tests: [making],
  },
  {
    name: "the front is free where the header alone leaves it so",
    file: "formats/vmdk/sparse/image.ts",
    find: "{ start: 0, end: grainSize }",
    replace: "{ start: 0, end: SECTOR_SIZE }",
    tests: [front],
  },
  {
    name: "space is asked for the first of two switches alone",
    file: "convert/execute/space.ts",
    find: "keptBytes(plan) + peakExtraBytes(behind, settles)",
    replace: "peakExtraBytes(behind, settles)",
    tests: [front],
  },
  {
    name: "a step that makes room for the next is settled",
    file: "convert/conversion/walk.ts",
    find: "settles: !step.isCarrier && step.front === undefined",
    replace: "settles: !step.isCarrier",
    tests: [front],
  },
];
