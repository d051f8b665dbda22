/** What the command line asks of the library: a part of the public index, and in tests a stand-in. */

import type * as index from "../index.ts";

export type Library = Pick<
  typeof index,
  | "check"
  | "checksum"
  | "compact"
  | "compare"
  | "convert"
  | "info"
  | "infoChain"
  | "makeDemoImage"
  | "map"
  | "plan"
  | "resume"
  | "rollback"
  | "setmap"
  | "sourceOptions"
  | "targetOptions"
  | "unfinished"
>;
