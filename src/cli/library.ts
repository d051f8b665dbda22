/** What the command line asks of the library: a part of the public index, and in tests a stand-in. */

import type * as doors from "../doors.ts";
import {
  check,
  checksum,
  compact,
  compare,
  convert,
  formatNames,
  info,
  infoChain,
  makeDemoImage,
  map,
  plan,
  resume,
  rollback,
  setmap,
  sourceOptions,
  type TargetOption,
  unfinished,
} from "../doors.ts";

export type Library = Pick<
  typeof doors,
  | "check"
  | "checksum"
  | "compact"
  | "compare"
  | "convert"
  | "formatNames"
  | "info"
  | "infoChain"
  | "makeDemoImage"
  | "map"
  | "plan"
  | "resume"
  | "rollback"
  | "setmap"
  | "sourceOptions"
  | "unfinished"
> & {
  /** Of the whole index, which holds every target: loaded by those alone who ask for options. */
  targetOptions(format: string): readonly TargetOption[] | Promise<readonly TargetOption[]>;
};

export const library: Library = {
  check,
  checksum,
  compact,
  compare,
  convert,
  formatNames,
  info,
  infoChain,
  makeDemoImage,
  map,
  plan,
  resume,
  rollback,
  setmap,
  sourceOptions,
  targetOptions: async (format) => (await import("../index.ts")).targetOptions(format),
  unfinished,
};
