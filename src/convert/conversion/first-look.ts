/** The guest before anything is written: its digest, whether it is the one that was expected, and what of it is zeros. */

import type { Wishes } from "../../journal/records.ts";
import { type OpenedBacking, refuseOtherGuest } from "../inspect/opened-backing.ts";
import type { Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import type { Session } from "../session/session.ts";
import type { Stopwatch } from "../session/stopwatch.ts";

export interface FirstLook {
  /** The image as the first step takes it: where zeros need no place, without them. */
  readonly source: Source;
  /** Null where none was asked for. */
  readonly digest: string | null;
  /** Of the disk that was digested. */
  readonly virtualSize: number;
}

export async function lookFirst({
  session,
  source,
  guest,
  settings,
  watch,
}: {
  readonly session: Session;
  readonly source: Source;
  readonly guest: OpenedBacking;
  readonly settings: Settings;
  readonly watch: Stopwatch;
  readonly wishes: Wishes;
}): Promise<FirstLook> {
  const { checksum } = settings;
  const digest = await watch.time("checksum", async () => {
    const found = checksum === "none" ? null : await guest.digest(source.image, checksum, "checksum");
    await refuseOtherGuest(session.path, source.image, guest, settings, found);
    return found;
  });
  return { source, digest, virtualSize: source.image.virtualSize };
}
