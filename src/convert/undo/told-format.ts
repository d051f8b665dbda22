/** Which of a conversion's two formats a file says that it has, and which kind of each a journal tells of. */

import { driverOf, formatToldBy, isMadeInOnePiece, isTold } from "../../formats/registry.ts";
import type { Intent } from "../../journal/records.ts";
import type { Storage } from "../../storage/storage.ts";

/** Undefined where it is another one's. A file that says nothing has the one that never says anything (raw). */
export async function toldFormat(
  storage: Storage,
  { sourceFormat, targetFormat }: Pick<Intent, "sourceFormat" | "targetFormat">,
): Promise<string | undefined> {
  const told = await formatToldBy(storage);
  const both = [sourceFormat, targetFormat];
  return told === undefined ? both.find((format) => !isTold(format)) : both.find((format) => format === told);
}

/** Whether the source held its disk in one piece. */
export function wasInOnePiece({ sourceInOnePiece, sourceFormat, sourceOptions }: Intent): boolean {
  return sourceInOnePiece ?? isMadeInOnePiece(driverOf(sourceFormat), sourceOptions);
}

/** Whether the target does. */
export function becomesOnePiece({ targetInOnePiece, targetFormat, options }: Intent): boolean {
  return targetInOnePiece ?? isMadeInOnePiece(driverOf(targetFormat), options);
}
