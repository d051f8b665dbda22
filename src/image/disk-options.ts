/** What `-o` says of the disk itself where a format holds it in one piece: how long it becomes, and what of its GPT. */

import { isAligned, SECTOR_SIZE } from "../bytes/align.ts";
import { UsageError } from "../bytes/image-error.ts";
import type { TargetOption } from "./target-options.ts";

/** `usual` is told behind what it does. */
export function alignOption(usual: string): TargetOption {
  return { name: "align", kind: "size", isOfDisk: true, help: `The disk grows to a multiple of it; ${usual}` };
}

export const GPT_OPTION: TargetOption = {
  name: "gpt",
  kind: "choice",
  choices: ["keep", "relocate"],
  isOfDisk: true,
  help: "relocate moves the backup of the disk's GPT to its end and changes nothing else of it",
};

/** `disk` is what has whole sectors, e.g. `a VHD`. Throws UsageError. */
export function chosenAlign(align: string | number | boolean, disk: string): number {
  if (typeof align === "number" && align >= SECTOR_SIZE && isAligned(align, SECTOR_SIZE)) return align;
  throw new UsageError(
    `Cannot use align=${align}: ${disk} has whole sectors, so it needs a multiple of ${SECTOR_SIZE}`,
  );
}
