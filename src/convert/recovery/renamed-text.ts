/** A descriptor that a conversion brought and that has another name since: recovery would take the image for one that has none. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { isOf, type Journal } from "../../journal/journal.ts";
import { otherTextOf } from "../session/named-image.ts";
import type { Session } from "../session/session.ts";
import { commitStateOf, sameBytes } from "../undo/switch-undo.ts";
import type { Direction } from "./direction.ts";

/**
 * Throws `changed-underneath` where the text that came is not under its name, and another says that the file holds its
 * disk. One that was there before the commit is told by the commit's being proven, or by its bytes.
 */
export async function refuseRenamedText(session: Session, journal: Journal, direction: Direction): Promise<void> {
  if (!isOf(journal, "conversion")) return;
  const { named, prepared, verified, sector } = journal.work;
  if (!named?.comes || !prepared || (await commitStateOf(session.storage, journal.work)) !== "before") return;
  const other = await otherTextOf(session, named.name);
  if (other === undefined || !(verified || journal.isUndo || sameBytes(other.bytes, sector))) return;
  throw new ImageError("changed-underneath", say`Cannot ${direction} ${imageNamed(session.path)}`, {
    because: `its descriptor ${named.name} is gone, and ${other.name} says that it is its disk`,
    remedy: `if that is the same one renamed, call it ${named.name} again; if not, move it away first`,
    state: "nothing was touched",
    path: session.path,
    operation: direction,
  });
}
