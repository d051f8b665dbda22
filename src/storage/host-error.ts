/** Turns what the operating system says into an ImageError that names the file, the place and the remedy. */

import { hex, ImageError, type ImageErrorKind } from "../bytes/image-error.ts";

const NO_SPACE_CODES: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** In words where the system's own abbreviation helps nobody; other codes stand for themselves. */
const EXPLANATIONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied (EACCES); change its permissions or run as its owner",
  EBADF: "it is closed (EBADF)",
  EDQUOT: "the disk quota is used up (EDQUOT); free some space",
  EFBIG: "the file system allows no file of that size (EFBIG)",
  EIO: "the disk reports an error (EIO); look at the system log before going on",
  EISDIR: "it is a folder (EISDIR)",
  ELOOP: "it is a symbolic link (ELOOP); name the file that it points to",
  EMFILE: "too many files are open (EMFILE)",
  ENAMETOOLONG: "its name or path is too long for the file system (ENAMETOOLONG); use a shorter one",
  ENOENT: "there is no such file (ENOENT)",
  ENOSPC: "no space is left on the file system (ENOSPC); free some space",
  ENOTDIR: "a part of its path is no folder (ENOTDIR)",
  EPERM: "operation not permitted (EPERM); look for an immutable flag on it",
  EROFS: "the file system is mounted read-only (EROFS)",
  ETXTBSY: "it is in use (ETXTBSY)",
};

/** Of a file that is to be made, the folder is meant. */
const FOLDER_EXPLANATIONS: Readonly<Record<string, string>> = {
  EACCES: "its folder can't be written (EACCES); make the folder writable, or move the image to one that is",
  ENOENT: "its folder does not exist (ENOENT); make it first",
  EPERM: "its folder can't be written (EPERM); look for an immutable flag on the folder",
  EROFS: "its folder is on a file system that is mounted read-only (EROFS); move the image to one that can be written",
};

const OF_OPERATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  create: FOLDER_EXPLANATIONS,
  "find the folder": { ENOENT: "it does not exist (ENOENT); make it first" },
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
  const place = hostOffset === undefined ? "" : ` at host offset ${hex(hostOffset)}`;
  const explanations = { ...EXPLANATIONS, ...OF_OPERATIONS[operation] };
  const reason =
    (code === undefined ? undefined : explanations[code]) ?? (error instanceof Error ? error.message : String(error));
  return new ImageError(kind, `Cannot ${operation} ${path === "" ? '""' : path}${place}: ${reason}`, {
    path,
    hostOffset,
    operation,
    cause: error,
  });
}
