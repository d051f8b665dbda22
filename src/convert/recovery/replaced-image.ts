/** An image that is not what its journal is about, as after another file took its place: recovery says so, and where it ends. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { formatToldBy, isTold } from "../../formats/registry.ts";
import type { Journal } from "../../journal/journal.ts";
import { journalNamesOf } from "../../journal/names.ts";
import type { Session } from "../session/session.ts";
import type { Direction } from "./direction.ts";

/** Failures that say nothing of what the image is. */
const ELSEWHERE = new Set(["io", "no-space", "in-use", "interrupted"]);

/**
 * What to say instead of `error`, with which recovery failed, where the image has no format that the journal knows.
 * Neither command can go on then, now or later, so it is said what the user can do. Undefined for any other image.
 */
export async function replacedImage(
  { path, storage }: Session,
  journal: Journal,
  direction: Direction,
  error: unknown,
): Promise<ImageError | undefined> {
  if (!(error instanceof ImageError) || ELSEWHERE.has(error.kind)) return undefined;
  const { formats, was } = expected(journal);
  if (!formats.every(isTold)) return undefined;
  const found = await formatToldBy(storage).then(
    (told) => told ?? "of no format that we know",
    () => undefined,
  );
  if (found === undefined) return undefined;
  if (formats.includes(found)) return undefined;
  const names = journalNamesOf(path);
  const beside = journal.isUndo ? names.undo : names.journal;
  const { work } = journal;
  const hasCopy = work.kind !== "repair" && work.intent.journey?.hasCopy;
  const files = [...new Set([beside, journal.path, ...(hasCopy ? [names.copy] : [])])].join(" and ");
  return new ImageError("changed-underneath", say`Cannot ${direction} ${imageNamed(path)}`, {
    because: `it is ${found}, but ${was}`,
    state: `nothing was touched: if another file has taken its place, remove ${files} by hand, and it is an image like any other; if not, keep a copy of all these files before anything else`,
    path,
    operation: direction,
    journal: beside,
    cause: error,
  });
}

/** The formats that the image can have, and how they came about. */
function expected({ work }: Journal): { readonly formats: readonly string[]; readonly was: string } {
  if (work.kind === "repair") {
    const { format } = work.intent;
    return { formats: [format], was: `what was repaired is ${format}` };
  }
  if (work.kind === "rearrangement") {
    const { format } = work.intent;
    return { formats: [format], was: `what was rearranged is ${format}` };
  }
  const { intent, undoGivenUp } = work;
  const { sourceFormat, targetFormat } = intent;
  if (undoGivenUp)
    return { formats: [targetFormat], was: `its conversion to ${targetFormat} was done, and the undo given up` };
  return { formats: [sourceFormat, targetFormat], was: `its conversion was from ${sourceFormat} to ${targetFormat}` };
}
