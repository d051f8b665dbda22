/** What a VHD's footer says that is no matter of its disk, and stops a conversion. */

import type { VhdFooter } from "./footer.ts";

/** "Compaction and expansion can't be performed" then, says the specification: a machine comes back to the disk as it was. */
const SAVED_STATE =
  "Cannot convert a VHD whose footer says that a virtual machine is in saved state: start the machine and shut it down first";

/** As conversion options tell it, among what is unclean. */
export function savedStateOf({ savedState }: VhdFooter): readonly string[] {
  return savedState === 0 ? [] : [SAVED_STATE];
}
