/** The lines of the input `image`: what each names, and the digest that it may end in. */

import type { ChecksumAlgorithm } from "../index.ts";

export interface ExpectedDigest {
  readonly algorithm: ChecksumAlgorithm;
  /** 64 hex digits, lower case. */
  readonly hex: string;
}

export interface ImageLine {
  /** A path or a glob, as written. */
  readonly name: string;
  /** Of what the guest sees. */
  readonly guestChecksum: ExpectedDigest | undefined;
}

export interface ParsedImages {
  readonly lines: readonly ImageLine[];
  /** One sentence for each line that can't be used. */
  readonly mistakes: readonly string[];
}

/** ` sha256:…`, ` guest-sha256:…` and their like at the end of a line; a name before them may hold spaces. */
const DIGEST = /^(.*?)\s+((?:guest-)?(?:blkhash-)?sha\d+):(\S*)$/i;

export function parseImageLines(text: string): ParsedImages {
  const lines: ImageLine[] = [];
  const mistakes: string[] = [];
  const written = text.split("\n").map((line) => line.trim());
  for (const line of written.filter((each) => each !== "")) {
    const parsed = parseLine(line);
    if (typeof parsed === "string") mistakes.push(parsed);
    else lines.push(parsed);
  }
  if (lines.length === 0 && mistakes.length === 0)
    mistakes.push("Cannot go on without image: name one path or glob a line");
  return { lines, mistakes };
}

/** A sentence where the line can't be used. */
function parseLine(line: string): ImageLine | string {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(line)) {
    return `Cannot use the image line "${line}": URLs can't be fetched yet; download the image in an earlier step and name its path`;
  }
  let name = line;
  let guestChecksum: ExpectedDigest | undefined;
  for (let match = DIGEST.exec(name); match !== null; match = DIGEST.exec(name)) {
    const [, rest = "", kind = "", digits = ""] = match;
    const refused = refusedDigest(kind.toLowerCase(), digits);
    if (refused !== undefined) return `Cannot use the image line "${line}": ${refused}`;
    if (guestChecksum !== undefined) return `Cannot use the image line "${line}": it expects two digests; give one`;
    const algorithm = kind.toLowerCase() === "guest-sha256" ? "sha256" : "blkhash-sha256";
    guestChecksum = { algorithm, hex: digits.toLowerCase() };
    name = rest;
  }
  return { name, guestChecksum };
}

function refusedDigest(kind: string, digits: string): string | undefined {
  if (kind === "sha256" || kind === "sha512") {
    return `${kind} is of a download; for a file give guest-sha256:HEX or guest-blkhash-sha256:HEX`;
  }
  if (kind !== "guest-sha256" && kind !== "guest-blkhash-sha256") return `there is no digest ${kind}`;
  return /^[0-9a-f]{64}$/i.test(digits) ? undefined : `${kind} needs 64 hex digits`;
}
