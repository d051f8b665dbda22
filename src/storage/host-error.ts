/** Turns what the operating system says into an ImageError that names the file, the place and the remedy. */

import { ImageError, type ImageErrorKind } from "../bytes/image-error.ts";
import { imageNamed, placeAt, say } from "../bytes/sentence.ts";

const NO_SPACE_CODES: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** What is wrong, and what to do. */
interface Explanation {
  readonly because: string;
  readonly remedy?: string;
}

/** In words where the system's own abbreviation helps nobody; other codes stand for themselves. */
const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  EACCES: { because: "permission denied (EACCES)", remedy: "change its permissions or run as its owner" },
  EBADF: { because: "it is closed (EBADF)" },
  EDQUOT: { because: "the disk quota is used up (EDQUOT)", remedy: "free some space" },
  EFBIG: { because: "the file system allows no file of that size (EFBIG)" },
  EIO: { because: "the disk reports an error (EIO)", remedy: "look at the system log before going on" },
  EISDIR: { because: "it is a folder (EISDIR)" },
  ELOOP: { because: "it is a symbolic link (ELOOP)", remedy: "name the file that it points to" },
  EMFILE: { because: "too many files are open (EMFILE)" },
  ENAMETOOLONG: {
    because: "its name or path is too long for the file system (ENAMETOOLONG)",
    remedy: "use a shorter one",
  },
  ENOENT: { because: "there is no such file (ENOENT)" },
  ENOSPC: { because: "no space is left on the file system (ENOSPC)", remedy: "free some space" },
  ENOTDIR: { because: "a part of its path is no folder (ENOTDIR)" },
  EPERM: { because: "operation not permitted (EPERM)", remedy: "look for an immutable flag on it" },
  EROFS: { because: "the file system is mounted read-only (EROFS)" },
  ETXTBSY: { because: "it is in use (ETXTBSY)" },
};

/** Of a file that is to be made, the folder is meant. */
const FOLDER_EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  EACCES: {
    because: "its folder can't be written (EACCES)",
    remedy: "make the folder writable, or move the image to one that is",
  },
  ENOENT: { because: "its folder does not exist (ENOENT)", remedy: "make it first" },
  EPERM: { because: "its folder can't be written (EPERM)", remedy: "look for an immutable flag on the folder" },
  EROFS: {
    because: "its folder is on a file system that is mounted read-only (EROFS)",
    remedy: "move the image to one that can be written",
  },
};

const OF_OPERATIONS: Readonly<Record<string, Readonly<Record<string, Explanation>>>> = {
  create: FOLDER_EXPLANATIONS,
  "find the folder": { ENOENT: { because: "it does not exist (ENOENT)", remedy: "make it first" } },
};

/** The system's code, e.g. `ENOSPC`, of an error thrown by node:fs; undefined for anything else. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/**
 * `operation` is a verb that fits between "Cannot" and the path, e.g. `read`, `write to`, `sync`.
 * ENOSPC, EDQUOT and EFBIG become kind `no-space`, all others `io`; the original is the cause.
 */
export function hostError(error: unknown, operation: string, path: string, hostOffset?: number): ImageError {
  if (error instanceof ImageError) return error;
  const code = codeOf(error);
  const kind: ImageErrorKind = code !== undefined && NO_SPACE_CODES.has(code) ? "no-space" : "io";
  const place = hostOffset === undefined ? "" : say` at host offset ${placeAt(hostOffset)}`;
  const explanations = { ...EXPLANATIONS, ...OF_OPERATIONS[operation] };
  const explanation = code === undefined ? undefined : explanations[code];
  return new ImageError(kind, say`Cannot ${operation} ${imageNamed(path)}${place}`, {
    because: explanation?.because ?? (error instanceof Error ? error.message : String(error)),
    remedy: explanation?.remedy,
    isMissing: code === "ENOENT",
    path,
    hostOffset,
    operation,
    cause: error,
  });
}
