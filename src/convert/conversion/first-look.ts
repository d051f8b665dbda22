/** The guest before anything is written: its digest, whether it is the one that was expected, and what of it is zeros. */

import { RangeSet } from "../../bytes/range-set.ts";
import { type OpenedBacking, refuseOtherGuest } from "../inspect/opened-backing.ts";
import type { Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";

export interface FirstLook {
  /** Null where none was asked for. */
  readonly digest: string | null;
  /** Of the disk that was digested. */
  readonly virtualSize: number;
  /** Whole units that are stored and read as zeros; empty where nobody asked. */
  readonly zeros: RangeSet;
}

/** One pass over the guest's data for both; none where neither is wanted. `zeroUnit`: 0 to look at no data. */
export async function lookFirst(
  path: string,
  { image }: Source,
  guest: OpenedBacking,
  settings: Settings,
  zeroUnit: number,
): Promise<FirstLook> {
  const { checksum } = settings;
  let zeros = new RangeSet();
  const wanted = zeroUnit === 0 ? undefined : { unitSize: zeroUnit, found: zeros };
  const digest = checksum === "none" ? null : await guest.digest(image, checksum, "checksum", wanted);
  if (digest === null && zeroUnit > 0) zeros = await guest.zeroUnits(image, zeroUnit);
  await refuseOtherGuest(path, image, guest, settings, digest);
  return { digest, virtualSize: image.virtualSize, zeros };
}
