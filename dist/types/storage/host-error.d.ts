/** Turns what the operating system says into an ImageError that names the file, the place and the remedy. */
import { ImageError } from "../bytes/image-error.ts";
/** The system's code, e.g. `ENOSPC`, of an error thrown by node:fs; undefined for anything else. */
export declare function codeOf(error: unknown): string | undefined;
/**
 * `operation` is a verb that fits between "Cannot" and the path, e.g. `read`, `write to`, `sync`.
 * ENOSPC, EDQUOT and EFBIG become kind `no-space`, all others `io`; the original is the cause.
 */
export declare function hostError(error: unknown, operation: string, path: string, hostOffset?: number): ImageError;
