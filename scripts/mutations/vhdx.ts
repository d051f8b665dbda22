/** What is believed of a VHDX, and how its log is replayed. */

import type { Mutation } from "./mutation.ts";

const reading = "test/unit/formats/vhdx/image.test.ts";
const replaying = "test/unit/formats/vhdx/log.test.ts";
const cuts = "test/crash/vhdx-log.test.ts";
const oracle = "test/oracle/vhdx.test.ts";

export const vhdxMutations: readonly Mutation[] = [
  {
    name: "the older of a VHDX's two headers counts",
    file: "formats/vhdx/header/header.ts",
    find: "return order < 0 ? second : first;",
    replace: "return order < 0 ? first : second;",
    tests: [oracle, replaying],
  },
  {
    name: "entries of sector bitmaps are taken for those of blocks",
    file: "formats/vhdx/tables/bat-scan.ts",
    find: "const isPayload = (index + 1) % (this.#chunkRatio + 1) !== 0;",
    replace: "const isPayload = index >= 0;",
    tests: [oracle],
  },
  {
    name: "items of a VHDX's metadata may lie upon one another",
    file: "formats/vhdx/header/metadata.ts",
    find: "if (before === undefined || before.end <= start) continue;",
    replace: "if (before === undefined || before.end !== start) continue;",
    tests: [reading],
  },
  {
    name: "of a log's run the entries before its head's tail are replayed too, whatever the tail says",
    file: "formats/vhdx/log/sequence.ts",
    find: "const tail = run.findIndex(({ at }) => at === head.tail);",
    replace: "const tail = 0;",
    tests: [replaying],
  },
  {
    name: "every entry of a log says how long the file has to be",
    file: "formats/vhdx/log/replay.ts",
    find: "if (head.flushedFileOffset > fileSize) {",
    replace: "if (sequence.some(({ flushedFileOffset }) => flushedFileOffset > fileSize)) {",
    tests: [replaying],
  },
  {
    name: "the header that counts is written first",
    file: "formats/vhdx/repair.ts",
    find: "const [other] = HEADER_PLACES.filter((place) => place !== header.hostOffset) as [number];",
    replace: "const other = header.hostOffset;",
    tests: [replaying, cuts],
  },
  {
    name: "the log is given up before it is replayed",
    file: "formats/vhdx/repair.ts",
    find: "steps: steps.filter(({ writes }) => writes.length > 0),",
    replace: "steps: steps.filter(({ writes }) => writes.length > 0).reverse(),",
    tests: [replaying, cuts],
  },
];
