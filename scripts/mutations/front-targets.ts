/** What new tables at a file's front, and those behind its end, say of where units lie. */

import type { Mutation } from "./mutation.ts";

const targets = "test/unit/formats/front-targets.test.ts";

export const frontTargetMutations: readonly Mutation[] = [
  {
    name: "a new VHDX's entries leave no room for sector bitmaps",
    file: "formats/vhdx/tables/bat-entry.ts",
    find: "return block + Math.floor(block / chunkRatio);",
    replace: "return block;",
    tests: [targets],
  },
  {
    name: "a new VHDX's blocks beyond 4 GiB lose the upper half of their place",
    file: "formats/vhdx/target/target.ts",
    find: "view.setUint32(at + 4, Math.floor(place / 4096), true);",
    replace: "",
    tests: [targets],
  },
  {
    name: "a new Parallels image's BAT may reach as far as it likes",
    file: "formats/parallels/target.ts",
    find: "if (!canMake(virtualSize, trackSize)) {",
    replace: "if (false) {",
    tests: [targets],
  },
  {
    name: "what lies behind a new Parallels image's last track is told to be its",
    file: "formats/parallels/target.ts",
    find: "end = Math.max(end, hostOffset + trackSize);",
    replace: "end = Math.max(end, hostOffset + 2 * trackSize);",
    tests: [targets],
  },
  {
    name: "a new VDI may have holes between its blocks",
    file: "formats/vdi/target.ts",
    find: "if (allocatedCount > 0 && (end !== fileSize || dataOffset > LATEST_DATA)) {",
    replace: "if (false) {",
    tests: [targets],
  },
];
