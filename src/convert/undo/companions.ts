/**
 * What a source holds beside its active guest (snapshots, bitmaps, autoclear bits that nobody knows) and a target does
 * not keep up. A guest that wrote in place through the target touched no metadata, but what the snapshots show, what the
 * bitmaps leave out and what the bits promise: the way back to such a source is open only while the guest is provably
 * the same.
 */

import { counted } from "../../bytes/count-text.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { reopenImage } from "../../formats/registry.ts";
import type { ConversionOptions } from "../../image/source.ts";
import type { ConversionWork } from "../../journal/conversion-work.ts";
import type { Storage } from "../../storage/storage.ts";
import { OpenedBacking } from "../inspect/opened-backing.ts";
import type { Settings } from "../options/settings.ts";
import type { Session } from "../session/session.ts";
import { behindCommit } from "./overlays.ts";
import { commitStateOf, sourceOptionsOf } from "./switch-undo.ts";

/** One phrase each, for journal and messages; empty where the active guest is all there is. */
export function companionsOf({
  snapshotCount,
  bitmapNames,
  unknownAutoclear,
}: Pick<ConversionOptions, "snapshotCount" | "bitmapNames" | "unknownAutoclear">): readonly string[] {
  const snapshots = snapshotCount === 0 ? [] : [counted(snapshotCount, "snapshot")];
  return [...snapshots, ...bitmapNames.map((name) => `bitmap ${name}`), ...unknownAutoclear];
}

/**
 * Returns true where the guest was proven to be the source's, false where nothing had to be proven. Throws
 * `changed-underneath` where the source holds more and its guest changed, or may have; nothing has been touched then.
 */
export async function proveCompanions(session: Session, state: ConversionWork, settings: Settings): Promise<boolean> {
  const { intent } = state;
  // Under the source's own header its own driver kept all of it up.
  if ((await commitStateOf(session.storage, state)) !== "after") return false;
  const companions = intent.alsoHolds ?? (await companionsBehind(session.storage, state));
  if (companions.length === 0) return false;
  const refuse = (why: string): never => {
    throw new ImageError("changed-underneath", say`Cannot put ${imageNamed(session.path)} back`, {
      because: `it holds ${companions.join(", ")}, and ${why}`,
      state: "nothing was touched",
      path: session.path,
      format: intent.sourceFormat,
      operation: "roll back",
    });
  };
  const { guestDigest, checksum } = intent;
  if (guestDigest === null || checksum === "none") {
    return refuse("whether a guest wrote since can't be told without a checksum from before");
  }
  const target = await reopenImage(session.storage, intent.targetFormat);
  const guest = await OpenedBacking.open(target, session.host.volume, settings);
  try {
    if ((await guest.digest(target, checksum, "verify")) !== guestDigest) refuse("a guest wrote to its disk since");
  } finally {
    await guest.close();
  }
  return true;
}

/** Of an old journal, which does not tell of them; that the source is as it was has been proven. */
async function companionsBehind(storage: Storage, state: ConversionWork): Promise<readonly string[]> {
  const source = await reopenImage(behindCommit(storage, state), state.intent.sourceFormat, sourceOptionsOf(state));
  return companionsOf(source.getConversionOptions());
}
