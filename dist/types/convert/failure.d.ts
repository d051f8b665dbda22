/** What becomes of an image when a conversion fails: put back where that is provably safe, else left with its journal. */
import { ImageError } from "../bytes/image-error.ts";
import type { Journal } from "../journal/journal.ts";
import type { Session } from "./session.ts";
/**
 * Puts the image back, or says which command goes on. The first failed sync ends the run: what the page cache shows
 * then may not be what the disk holds, so nothing is believed and nothing more written.
 */
export declare function afterFailure(session: Session, journal: Journal, error: unknown): Promise<unknown>;
/** The error of a run that left its journal: says which command goes on. */
export declare function standing(path: string, journal: Journal, error: unknown): ImageError;
/** As a POSIX shell takes it literally. */
export declare function shellQuoted(path: string): string;
