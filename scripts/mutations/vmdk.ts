/** What is believed of a sparse VMDK, and what stands in for its footer while the file's end is another. */

import type { Mutation } from "./mutation.ts";

const refused = "test/oracle/corpus.test.ts > refuse/vmdk/corrupt";
const reading = "test/unit/formats/vmdk/sparse.test.ts";
const cuts = "test/crash/each-cut-once.test.ts > vmdk to qcow2";
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
];
