/** What stands below a command's options in its help: an example, and in the long help its exit codes. */

/** Meanings by exit code. */
export type ExitCodes = Readonly<Record<number, string>>;

const UNWRITTEN = "done, but the result could not be written out";

const READING: ExitCodes = {
  0: "done",
  1: "failed",
  2: "wrong usage",
  5: UNWRITTEN,
};

const WRITING: ExitCodes = {
  ...READING,
  1: "failed or stopped before the first write: the image is as it was",
  4: "interrupted or not put back: the journal stands, and the message names the command that goes on",
};

/** As `qemu-img check` has them, and one more for a repair. */
export const CHECK_EXIT_CODES: ExitCodes = {
  0: "clean, or all that was found is repaired",
  1: "could not check, wrong usage too",
  2: "corruptions",
  3: "leaks only",
  4: "a repair was interrupted: the journal stands, and the message names the command that goes on",
  5: UNWRITTEN,
  63: "no check for this format",
};

/** As `qemu-img compare` has them. */
export const COMPARE_EXIT_CODES: ExitCodes = {
  0: "the guests are the same",
  1: "they differ",
  2: "could not compare, wrong usage too",
  5: UNWRITTEN,
};

interface Exiting {
  readonly exitCodes?: ExitCodes;
  readonly writes?: unknown;
}

/** The exit codes of a command; of the program itself where none is given. */
export function exitCodesOf(spec?: Exiting): ExitCodes {
  return spec?.exitCodes ?? (spec === undefined || spec.writes !== undefined ? WRITING : READING);
}

/** Begins with an empty line, and ends without a line break. */
export function helpEnd(example: string, codes: ExitCodes, isLong: boolean, more: string): string {
  const lines = ["", "Example:", `  ${example}`];
  if (!isLong) return [...lines, "", more].join("\n");
  const rows = Object.entries(codes).map(([code, meaning]) => `  ${code.padEnd(3)} ${meaning}`);
  return [...lines, "", "Exit codes:", ...rows].join("\n");
}
