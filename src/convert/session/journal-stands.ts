/** The error of a run that leaves its journal beside the image: the image is whole, and two commands go on. */

import { ImageError } from "../../bytes/image-error.ts";
import type { Journal } from "../../journal/journal.ts";

/** The error of a run that left its journal: says which command goes on. */
export function standing(path: string, journal: Journal, error: unknown): ImageError {
  const failure = error instanceof ImageError ? error : undefined;
  const reason = error instanceof Error ? error.message : String(error);
  const back = journal.work.undoGivenUp ? "" : `, or inplace-convert rollback ${shellQuoted(path)} to put it back`;
  return new ImageError(
    failure?.kind ?? "io",
    `${reason}; the image is whole and its journal stands: run inplace-convert resume ${shellQuoted(path)} to finish${back}`,
    { ...failure, path, journal: journal.path, cause: error },
  );
}

/** As a POSIX shell takes it literally. */
export function shellQuoted(path: string): string {
  return /^[\w./+:@%,=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
