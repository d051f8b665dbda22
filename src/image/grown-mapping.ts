/** The mapping of a disk that is grown: what the target shows behind the source's last byte reads as zeros. */

import { alignDown, alignUp, SECTOR_SIZE } from "../bytes/align.ts";
import { RangeSet } from "../bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, guestEndOf, isStored } from "./extent.ts";

/**
 * The same table where the disk has `virtualSize` bytes already. A disk may end inside a sector (raw): the sector's rest
 * lies where the file would go on, as QEMU shows it.
 */
export function grownMapping(mapping: ExtentTable, virtualSize: number): ExtentTable {
  const last = mapping.count - 1;
  const end = guestEndOf(mapping);
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

/**
 * A disk in one piece as a target with units takes it: what is zeros in whole units has no place, all else lies where it
 * is, holes inside a unit too. `zeros` are guest ranges that read as zeros; runs below `leastRun` stay.
 */
export function withoutZeroUnits(
  mapping: ExtentTable,
  zeros: RangeSet,
  { unitSize, leastRun, base }: { readonly unitSize: number; readonly leastRun: number; readonly base: number },
): ExtentTable {
  const virtualSize = guestEndOf(mapping);
  const empty = new RangeSet();
  empty.addAll(zeros);
  for (let row = 0; row < mapping.count; row++) {
    if (isStored(mapping.state[row])) continue;
    const start = mapping.guestOffset[row] as number;
    empty.add(start, start + (mapping.length[row] as number));
  }
  const table = new ExtentTableBuilder();
  for (const range of empty.each()) {
    const start = alignUp(range.start, unitSize);
    const end = range.end >= virtualSize ? virtualSize : alignDown(range.end, unitSize);
    if (end <= start || range.end - range.start < leastRun) continue;
    table.append(start - table.end, ExtentState.data, base + table.end);
    table.append(end - start, ExtentState.unallocated);
  }
  table.append(virtualSize - table.end, ExtentState.data, base + table.end);
  return table.finish(virtualSize);
}

/** The same of a disk with tables and no backing file: what is stored of `zeros` (whole units of the target) has no place. */
export function emptiedMapping(mapping: ExtentTable, zeros: RangeSet, leastRun: number): ExtentTable {
  const table = new ExtentTableBuilder();
  for (let row = 0; row < mapping.count; row++) {
    const guestOffset = mapping.guestOffset[row] as number;
    const guestEnd = guestOffset + (mapping.length[row] as number);
    const hostOffset = mapping.hostOffset[row] as number;
    const state = mapping.state[row] as ExtentState;
    const isCompressed = state === ExtentState.compressed;
    if (state === ExtentState.data) {
      for (const { start, end } of zeros.within(guestOffset, guestEnd)) {
        if (end - start < leastRun && end < guestEndOf(mapping)) continue;
        table.append(start - table.end, state, hostOffset + table.end - guestOffset);
        table.append(end - start, ExtentState.unallocated);
      }
      table.append(guestEnd - table.end, state, hostOffset + table.end - guestOffset);
    } else if (isCompressed && !zeros.contains(guestOffset, guestEnd)) {
      table.append(guestEnd - guestOffset, state, hostOffset, mapping.storedLength[row]);
    } else table.append(guestEnd - guestOffset, ExtentState.unallocated);
  }
  return table.finish(guestEndOf(mapping));
}
