/** The mapping of a disk that is grown: what the target shows behind the source's last byte reads as zeros. */

import { alignUp, SECTOR_SIZE } from "../bytes/align.ts";
import type { RangeSet } from "../bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "./extent.ts";

/**
 * The same table where the disk has `virtualSize` bytes already. A disk may end inside a sector (raw): the sector's rest
 * lies where the file would go on, as QEMU shows it.
 */
export function grownMapping(mapping: ExtentTable, virtualSize: number): ExtentTable {
  const last = mapping.count - 1;
  const end = last < 0 ? 0 : (mapping.guestOffset[last] as number) + (mapping.length[last] as number);
  if (end >= virtualSize) return mapping;
  const grown = new ExtentTableBuilder();
  for (let row = 0; row <= last; row++) {
    const state = mapping.state[row] as ExtentState;
    grown.append(mapping.length[row] as number, state, mapping.hostOffset[row], mapping.storedLength[row]);
  }
  const sectorEnd = Math.min(alignUp(end, SECTOR_SIZE), virtualSize);
  if (last >= 0 && mapping.state[last] === ExtentState.data) {
    const hostEnd = (mapping.hostOffset[last] as number) + (mapping.length[last] as number);
    grown.append(sectorEnd - end, ExtentState.data, hostEnd);
  }
  grown.append(virtualSize - grown.end, ExtentState.unallocated);
  return grown.finish(virtualSize);
}

/** The same table where the guest ranges of `zeros`, and zeros that have a place, need none: for a disk without a backing file. */
export function emptiedMapping(mapping: ExtentTable, zeros: RangeSet): ExtentTable {
  const emptied = new ExtentTableBuilder();
  for (let row = 0; row < mapping.count; row++) {
    const guestOffset = mapping.guestOffset[row] as number;
    const guestEnd = guestOffset + (mapping.length[row] as number);
    const hostOffset = mapping.hostOffset[row] as number;
    const state = mapping.state[row] as ExtentState;
    if (state === ExtentState.zero) emptied.append(guestEnd - guestOffset, ExtentState.unallocated);
    else if (state !== ExtentState.data)
      emptied.append(guestEnd - guestOffset, state, hostOffset, mapping.storedLength[row]);
    else {
      for (const { start, end } of zeros.within(guestOffset, guestEnd)) {
        emptied.append(start - emptied.end, ExtentState.data, hostOffset + emptied.end - guestOffset);
        emptied.append(end - start, ExtentState.unallocated);
      }
      emptied.append(guestEnd - emptied.end, ExtentState.data, hostOffset + emptied.end - guestOffset);
    }
  }
  return emptied.finish(emptied.end);
}
