/** How far an earlier conversion or repair of an image came, told from what lies beside it; changes nothing and takes no lock. */

import { Journal } from "../../journal/journal.ts";
import { FileVolume } from "../../storage/file/file-volume.ts";
import type { Volume } from "../../storage/storage.ts";
import { diskFileOf } from "../inspect/opened-chain.ts";
import { pathMistakes, refuseMistakes } from "../options/option-rules.ts";

/**
 * `none`: nothing to resume and nothing to roll back. `open`: a conversion or repair is open and may go
 * either way. `verified`: what it makes was proven, or the undo was given up: finishing is what is left to do. `undo`: it is
 * finished, and the way back was kept as `<image>.inplace-undo`.
 */
export type Unfinished = "none" | "open" | "verified" | "undo";

/** @throws ImageError `corrupt` for a damaged journal, `io` */
export async function unfinished(path: string, volume: Volume = new FileVolume()): Promise<Unfinished> {
  refuseMistakes(pathMistakes(path));
  const found = await Journal.find(volume, await diskFileOf(volume, path));
  // A torn journal proves that nothing was written, and one that was rolled back that the image is as it was.
  if (found === "none" || found === "torn") return "none";
  await found.close();
  const { rolledBack, verified, undoGivenUp, intent } = found.work;
  if (rolledBack) return "none";
  // Behind several steps the way back is another walk, or a copy: that a step's own undo was given up says nothing.
  if (found.isUndo && intent.record !== "repair" && intent.journey && intent.purpose === "convert") return "undo";
  if (undoGivenUp) return "verified";
  if (found.isUndo) return "undo";
  return verified ? "verified" : "open";
}
