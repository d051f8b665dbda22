/** The end of a conversion whose last step moved units: tables and guest where they lie now, while the journal stands. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { reopenImage } from "../../formats/registry.ts";
import { leavesLeaks } from "../../formats/target-registry.ts";
import type { CheckResult, Finding } from "../../image/finding.ts";
import { checkOf, type Image } from "../../image/source.ts";
import type { Journal } from "../../journal/journal.ts";
import type { OpenedBacking } from "../inspect/opened-backing.ts";
import type { Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { CrossChecker } from "../proof/cross-check.ts";
import { leavingJournal } from "../session/leaving-journal.ts";
import type { Session } from "../session/session.ts";
import type { KnownGuest } from "./known-guest.ts";

export interface LastLook {
  readonly image: Image;
  /** Null where none was made. */
  readonly check: CheckResult | null;
  readonly digestAfter: string | null;
}

/** Ends the journal, or throws with it standing. `before` is the image as it was found first. */
export async function lookLast(
  session: Session,
  {
    before,
    format,
    journal,
  }: { readonly before: Source; readonly format: string; readonly journal: Journal | undefined },
  guest: OpenedBacking,
  known: KnownGuest,
  settings: Settings,
): Promise<LastLook> {
  const { path } = session;
  try {
    const image = await reopenImage(session.storage, format);
    const check = settings.check && image.check !== undefined ? await checkOf(image) : null;
    refuseUnsoundEnd(image, check, before.check, path);
    const digestAfter = await known.verify({ image }, guest);
    if (check !== null) for (const note of await CrossChecker.compare(image, check, settings)) session.notes.add(note);
    await session.refuseChange();
    if (settings.keepUndo && journal !== undefined && !journal.isUndo) await journal.keepAsUndo();
    else await journal?.remove();
    return { image, check, digestAfter };
  } catch (error) {
    throw journal === undefined ? error : leavingJournal(path, journal, error);
  }
}

function refuseUnsoundEnd(image: Image, check: CheckResult | null, before: CheckResult, path: string): void {
  // Where something is used and counted too often, it stays so: the flag of who has one pointer can't follow at once.
  // What counts nothing has no leaks that a count could give back: room between streams, too small for what is left to move.
  const mayLeak = leavesLeaks(image.format) || (check?.leaks ?? 0) <= before.leaks;
  const isNew = ({ severity }: Finding) => severity !== "leak" || !mayLeak;
  const [first] = [
    ...image.getConversionOptions().unclean,
    ...(check?.findings ?? []).filter(isNew).map(({ message }) => message),
    ...((check?.corruptions ?? 0) + (check?.checkErrors ?? 0) > 0 ? ["its last check found errors"] : []),
  ];
  if (first === undefined) return;
  throw new ImageError("verification-failed", say`Cannot vouch for ${imageNamed(path)}`, {
    because: first,
    path,
    format: image.format,
    operation: "check",
  });
}
