/**
 * What a writer owes to features that hold only as long as whoever writes keeps them true (docs/interop/qcow2.txt,
 * "autoclear_features", "Bitmap directory").
 *
 *   a bit that we don't know    cleared, whatever is written: we can't tell what it promises
 *   bit 0, bitmaps              stays: a repair that keeps the guest writes nothing that a bitmap would record; where the
 *                               guest changes, each bitmap is marked as not to be trusted (in use), as after a crash
 *   bit 1, raw data file        stays, unless the guest changes: the data file then holds something else
 *
 * Durable before anything else is overwritten, so that no cut leaves a promise that is broken already.
 */

import type { Write } from "../../../image/write.ts";
import type { Storage } from "../../../storage/storage.ts";
import { autoclearWrite } from "../header/autoclear-write.ts";
import { AutoclearBit } from "../header/header.ts";
import { type Bitmap, BitmapDirectoryEntry, BitmapFlag } from "../tables/bitmap-directory.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { surveyed, Uncountable } from "./entry-plan.ts";
import { openSource } from "./survey.ts";

/** What a repair of the image that `storage` holds writes before all else. `changesGuest`: it gives entries up. */
export async function featureWrites(storage: Storage, changesGuest: boolean): Promise<Write[]> {
  const { header, bitmaps } = await openSource(storage);
  const broken: number[] = [];
  const marks: Write[] = [];
  if (changesGuest) {
    const trusted = bitmaps.filter(({ isInUse }) => !isInUse);
    // Where something else lies on the directory too, the bitmaps are let go whole.
    if (trusted.length > 0 && !(await isLoneDirectory(storage))) broken.push(AutoclearBit.bitmaps);
    else marks.push(...trusted.map(markInUse));
    broken.push(AutoclearBit.rawDataFile);
  }
  const write = autoclearWrite(header.autoclear, broken);
  return write === undefined ? marks : [write, ...marks];
}

/** Whether the directory's clusters hold nothing else: what is written there is nobody's data and no table's entry. */
async function isLoneDirectory(storage: Storage): Promise<boolean> {
  let source: WalkSource;
  try {
    source = await surveyed(storage);
  } catch (cause) {
    if (cause instanceof Uncountable) return false;
    throw cause;
  }
  const { header, geometry, tally } = source;
  if (header.extensions.bitmaps === undefined) return false;
  const { directoryHostOffset, directorySize } = header.extensions.bitmaps;
  const first = directoryHostOffset / geometry.clusterSize;
  for (let at = 0; at * geometry.clusterSize < directorySize; at++) {
    if (tally.all.get(first + at) !== 1) return false;
  }
  return true;
}

function markInUse({ entryHostOffset, isAuto }: Bitmap): Write {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, BitmapFlag.inUse | (isAuto ? BitmapFlag.auto : 0));
  return { hostOffset: entryHostOffset + BitmapDirectoryEntry.fields.flags.at, bytes };
}
