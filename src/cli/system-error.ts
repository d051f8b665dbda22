/** What the operating system says to the command line itself, in our own words. */

const EXPLANATIONS: Readonly<Record<string, string>> = {
  EACCES: "permission is denied (EACCES)",
  EDQUOT: "the disk quota is used up (EDQUOT)",
  EEXIST: "something else bears that name (EEXIST)",
  EFBIG: "the file system allows no file of that size (EFBIG)",
  EIO: "the disk or the terminal reports an error (EIO)",
  EISDIR: "it is a folder (EISDIR)",
  ENAMETOOLONG: "the name is too long (ENAMETOOLONG)",
  ENOENT: "there is no such file or folder (ENOENT)",
  ENOSPC: "no space is left there (ENOSPC)",
  ENOTDIR: "a part of its path is no folder (ENOTDIR)",
  EPERM: "that is not permitted (EPERM)",
  EPIPE: "nobody reads it any more (EPIPE)",
  EROFS: "the file system is mounted read-only (EROFS)",
};

/** The system's code, e.g. `ENOSPC`; empty for an error that is none of the system's. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && "syscall" in error ? String(error.code) : "";
}

/** Codes that are not in the table stand for themselves. */
export function explain(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  return EXPLANATIONS[code] ?? error.message;
}

/** One sentence for a call of the system that failed outside of the library, e.g. when the demo makes its folder. */
export function systemSentence(error: Error): string {
  const path = "path" in error && typeof error.path === "string" ? error.path : "a file";
  return `Cannot use ${path}: ${explain(error)}`;
}
