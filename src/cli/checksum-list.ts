/** Lines of `DIGEST  NAME`, as `checksum` and sha256sum print them and take them back. */

import { UsageError } from "../doors.ts";

export interface ListedDigest {
  /** 64 hex digits in lower case. */
  readonly digest: string;
  /** As written; relative to the folder that the program was started in, as sha256sum has it. */
  readonly name: string;
}

/** A star before the name is sha256sum's mark of a file that is no text. */
const LINE = /^([0-9a-f]{64}) [ *](.+)$/i;

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
    const [, digest, name] = LINE.exec(line) ?? [];
    if (digest === undefined || name === undefined) {
      throw new UsageError(`Cannot read line ${at + 1} of ${list}: expected 64 hex digits, two spaces and a name`);
    }
    listed.push({ digest: digest.toLowerCase(), name });
  }
  if (listed.length === 0) throw new UsageError(`Cannot check by ${list}: it lists no image`);
  return listed;
}
