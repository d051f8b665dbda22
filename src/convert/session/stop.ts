/** Where a command that was asked to stop does so. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";

/** A safe point: nothing is half done here. `doing` goes on with the path, e.g. `while settling`. */
export function stopIfAsked(signal: AbortSignal | undefined, path: string, doing: string): void {
  if (!signal?.aborted) return;
  throw new ImageError("interrupted", say`Stopped ${doing} ${imageNamed(path)}, as asked`, {
    path,
    operation: "interrupt",
  });
}
