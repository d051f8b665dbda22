/** Images that QEMU writes to: what is read of them is of no one moment. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, option, say } from "../../bytes/sentence.ts";
import type { Storage, Volume } from "../../storage/storage.ts";

/**
 * As qemu-img does without `-U`: what another program is writing can be neither judged nor digested. A reader is no
 * matter. `verb` fits between "Cannot" and the path.
 */
export async function refuseWriters(storage: Storage, volume: Volume, verb: string): Promise<void> {
  const { writers = [] } = await volume.otherUsers(storage, "locks");
  if (writers.length === 0) return;
  throw new ImageError("in-use", say`Cannot ${verb} ${imageNamed(storage.path)}`, {
    because: writers.join("; "),
    remedy: ["close it there first", say`look all the same with ${option("force-share")}`],
    path: storage.path,
    operation: "lock",
    reasons: writers,
  });
}
