/** Lines of `DIGEST  NAME`, as `checksum` and sha256sum print them and take them back. */

import { UsageError } from "../doors.ts";
import { printable } from "./terminal.ts";

export interface ListedDigest {
  /** 64 hex digits in lower case. */
  readonly digest: string;
  /** Relative to the folder that the program was started in, as sha256sum has it. */
  readonly name: string;
}

/** A star before the name is sha256sum's mark of a file that is no text, a backslash in front that of an escaped name. */
const LINE = /^(\\?)([0-9a-f]{64}) [ *](.+)$/i;

/**
 * Without its line break. A name that a line can't hold is escaped as coreutils do it: `\\`, `\n` and `\r` in the name, and a
 * backslash in front of all. What else would steer a terminal is written out in the same way, which only we read back.
 */
export function checksumLine(digest: string, name: string): string {
  const escaped = printable(name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r"));
  return `${escaped === name ? "" : "\\"}${digest}  ${escaped}`;
}

/**
 * Empty lines and those that begin with `#` are passed over.
 *
 * @throws UsageError for any other line, and for a list of nothing: what was not looked at must not pass for proven
 */
export function parseChecksumList(text: string, list: string): readonly ListedDigest[] {
  const listed: ListedDigest[] = [];
  for (const [at, line] of text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const [, mark, digest, written] = LINE.exec(line) ?? [];
    const name = mark === "" ? written : unescaped(written ?? "");
    if (digest === undefined || name === undefined) {
      throw new UsageError(`Cannot read line ${at + 1} of ${list}: expected 64 hex digits, two spaces and a name`);
    }
    listed.push({ digest: digest.toLowerCase(), name });
  }
  if (listed.length === 0) throw new UsageError(`Cannot check by ${list}: it lists no image`);
  return listed;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\", n: "\n", r: "\r" };

/** Undefined where a backslash stands before anything else. */
function unescaped(written: string): string | undefined {
  if (!/^(?:[^\\]|\\(?:[\\nr]|x[0-9a-f]{2}|u[0-9a-f]{4}))+$/s.test(written)) return undefined;
  return written.replace(/\\(?:x(..)|u(....)|(.))/gs, (_whole, byte?: string, unit?: string, letter = "") => {
    const code = byte ?? unit;
    return code === undefined ? (ESCAPES[letter] ?? "") : String.fromCharCode(Number.parseInt(code, 16));
  });
}
