/**
 * What a disk in one piece shows and its source does not: places that the source stores nothing at. A guest that wrote
 * there touched no table of the source, and would lose it on the way back.
 */

import { alignUp, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { eachExtent, isStored } from "../../image/extent.ts";
import type { Image } from "../../image/source.ts";
import type { ConversionWork } from "../../journal/conversion-work.ts";
import { readZeroFilled, type Storage } from "../../storage/storage.ts";
import { becomesOnePiece } from "./told-format.ts";

/** True where all of them read as the zeros that they were when the target was committed. `source` lies behind the commit. */
export async function areHolesEmpty(storage: Storage, { intent }: ConversionWork, source: Image): Promise<boolean> {
  const { oldFileSize, fileSize, cutTo = fileSize } = intent;
  if (!becomesOnePiece(intent)) return true;
  const holes = new RangeSet();
  const diskEnd = alignUp(cutTo, SECTOR_SIZE);
  if (source.getConversionOptions().linearBase !== undefined) holes.add(Math.min(oldFileSize, diskEnd), diskEnd);
  else {
    for (const { state, guestOffset, length } of eachExtent(await source.getMapping())) {
      if (!isStored(state)) holes.add(guestOffset, guestOffset + length);
    }
  }
  const data = await storage.dataRanges?.();
  for (const { start, end } of holes.each()) {
    for (const range of data?.within(start, end) ?? [{ start, end }]) {
      for (let at = range.start; at < range.end; at += MiB) {
        const bytes = await readZeroFilled(storage, at, Math.min(MiB, range.end - at));
        if (bytes.some((byte) => byte !== 0)) return false;
      }
    }
  }
  return true;
}
