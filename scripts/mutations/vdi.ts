/** What is believed of a VDI's header and block map, and what is promised of a format that is never written. */

import type { Mutation } from "./mutation.ts";

const corpus = "test/oracle/corpus.test.ts > vdi";
const image = "test/unit/formats/vdi/image.test.ts";
const onlyRead = "test/unit/convert/only-read.test.ts";

export const vdiMutations: readonly Mutation[] = [
  {
    name: "a disk goes on where its map does",
    file: "formats/vdi/block-map.ts",
    find: "Math.min(count * BLOCK_SIZE, this.#header.virtualSize - index * BLOCK_SIZE)",
    replace: "count * BLOCK_SIZE",
    tests: [image],
  },
  {
    name: "a VDI's blocks may lie on its map",
    file: "formats/vdi/header.ts",
    find: "if (dataOffset < mapOffset + mapBytes) {",
    replace: "if (dataOffset < mapOffset) {",
    tests: [corpus],
  },
  {
    name: "a VDI's entry may name a block past those that are allocated",
    file: "formats/vdi/block-map.ts",
    find: "} else if (block >= allocatedCount) {",
    replace: "} else if (block > allocatedCount) {",
    tests: [corpus],
  },
  {
    name: "a VDI's block may end outside the file",
    file: "formats/vdi/block-map.ts",
    find: "if (length > 0 && hostOffset + length > fileSize) {",
    replace: "if (length > 0 && hostOffset > fileSize) {",
    tests: [corpus],
  },
  {
    name: "a VDI's blocks are taken to lie at whole MiB",
    file: "formats/vdi/image.ts",
    find: "sharingSize: placeSize(dataOffset),",
    replace: "sharingSize: BLOCK_SIZE,",
    tests: [corpus, "test/property/convert.property.test.ts > VDI -> qcow2"],
  },
  {
    name: "a VDI's map may be written over while it lives",
    file: "formats/vdi/image.ts",
    find: "usedHeader: RangeSet.of({ start: 0, end: VdiHeaderFields.size }, ",
    replace: "usedHeader: RangeSet.of({ start: 0, end: VdiHeaderFields.size }) ?? RangeSet.of(",
    tests: [image],
  },
  {
    name: "a first sector whose mark comes later belongs to its format alone",
    file: "formats/strangers.ts",
    find: "const isStartFree = beginsWithGuest || driver.marks.every(({ hostOffset }) => hostOffset > 0);",
    replace: "const isStartFree = beginsWithGuest;",
    tests: [corpus],
  },
  {
    name: "a way back is told of a format that is never written",
    file: "convert/session/leaving-journal.ts",
    find: "journey.hasCopy === true || canBeMade(journey)",
    replace: "true",
    tests: [onlyRead],
  },
  {
    name: "a rollback that can't be made begins all the same",
    file: "convert/recovery/rearrangement-recovery.ts",
    find: "if (isTurned) refuseNoWayBack(path, journey);",
    replace: "",
    tests: [onlyRead],
  },
  {
    name: "an undo is promised that would have to make what is never written",
    file: "convert/conversion/walk.ts",
    find: "refuseEmptyUndo(session.path, journey, saved.why);",
    replace: "",
    tests: [onlyRead],
  },
];
