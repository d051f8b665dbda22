/** The lines of the input `image`: what each names, and the digests that it may end in. */

import { sourceUrl } from "../../acquire/source/source-url.ts";
import { type ChecksumAlgorithm, UsageError } from "../../index.ts";

export interface ExpectedDigest {
  readonly algorithm: ChecksumAlgorithm;
  /** 64 hex digits, lower case. */
  readonly hex: string;
}

export interface DownloadDigest {
  readonly algorithm: "sha256" | "sha512";
  /** 64 or 128 hex digits, lower case. */
  readonly hex: string;
}

export interface ImageLine {
  /** A path or a glob, as written. */
  readonly name: string;
  /** Of what the guest sees. */
  readonly guestChecksum: ExpectedDigest | undefined;
}

export interface UrlLine {
  readonly url: string;
  /** Of the bytes as downloaded. */
  readonly digest: DownloadDigest | undefined;
  readonly guestChecksum: ExpectedDigest | undefined;
}

export interface ParsedImages {
  /** Paths and globs. */
  readonly lines: readonly ImageLine[];
  readonly urls: readonly UrlLine[];
  /** One sentence for each line that can't be used. */
  readonly mistakes: readonly string[];
}

/** ` sha256:…`, ` guest-sha256:…` and their like at the end of a line; a name before them may hold spaces. */
const DIGEST = /^(.*?)\s+((?:guest-)?(?:blkhash-)?sha\d+):(\S*)$/i;
const SCHEME = /^[a-z][a-z0-9+.-]+:\/\//i;
const HEX_DIGITS = { sha256: 64, sha512: 128, "guest-sha256": 64, "guest-blkhash-sha256": 64 } as const;
type DigestKind = keyof typeof HEX_DIGITS;

export function parseImageLines(text: string): ParsedImages {
  const lines: ImageLine[] = [];
  const urls: UrlLine[] = [];
  const mistakes: string[] = [];
  const written = text.split("\n").map((line) => line.trim());
  for (const line of written.filter((each) => each !== "")) {
    const parsed = parseLine(line);
    if (typeof parsed === "string") mistakes.push(`Cannot use the image line "${shown(line)}": ${parsed}`);
    else if ("url" in parsed) urls.push(parsed);
    else lines.push(parsed);
  }
  mistakes.push(...twice(urls));
  if (lines.length + urls.length === 0 && mistakes.length === 0)
    mistakes.push("Cannot go on without image: name one path, glob or URL a line");
  return { lines, urls, mistakes };
}

/** Why, where the line can't be used. */
function parseLine(line: string): ImageLine | UrlLine | string {
  const digests = new Map<string, string>();
  let name = line;
  for (let match = DIGEST.exec(name); match !== null; match = DIGEST.exec(name)) {
    const [, rest = "", written = "", digits = ""] = match;
    const kind = written.toLowerCase();
    if (!isKind(kind)) return `there is no digest ${kind}`;
    if (!kind.startsWith("guest-") && !SCHEME.test(line))
      return `${kind} is of a download; for a file give guest-sha256:HEX or guest-blkhash-sha256:HEX`;
    const length = HEX_DIGITS[kind];
    if (digits.length !== length || !/^[0-9a-f]*$/i.test(digits)) return `${kind} needs ${length} hex digits`;
    const isOfGuest = kind.startsWith("guest-");
    if ([...digests.keys()].some((other) => other.startsWith("guest-") === isOfGuest))
      return "it expects two digests; give one";
    digests.set(kind, digits.toLowerCase());
    name = rest;
  }
  const guestChecksum = guestChecksumOf(digests);
  return SCHEME.test(line) ? urlLine(name, digestOf(digests), guestChecksum) : { name, guestChecksum };
}

function urlLine(
  url: string,
  digest: DownloadDigest | undefined,
  guestChecksum: ExpectedDigest | undefined,
): UrlLine | string {
  try {
    sourceUrl(url);
    return { url, digest, guestChecksum };
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/** Passwords and signed queries are secrets. */
function shown(line: string): string {
  return SCHEME.test(line) ? line.replace(/\/\/[^/\s]*@/, "//…@").replace(/\?\S*/, "?…") : line;
}

/** Two downloads of one thing would meet at one name. */
function twice(urls: readonly UrlLine[]): string[] {
  const seen = new Set<string>();
  return urls.flatMap(({ url }) => {
    if (seen.has(url)) return [`Cannot use the image line "${shown(url)}": it stands there twice`];
    seen.add(url);
    return [];
  });
}

function isKind(text: string): text is DigestKind {
  return Object.hasOwn(HEX_DIGITS, text);
}

function guestChecksumOf(digests: ReadonlyMap<string, string>): ExpectedDigest | undefined {
  const [sha256, blkhash] = [digests.get("guest-sha256"), digests.get("guest-blkhash-sha256")];
  if (sha256 !== undefined) return { algorithm: "sha256", hex: sha256 };
  return blkhash === undefined ? undefined : { algorithm: "blkhash-sha256", hex: blkhash };
}

function digestOf(digests: ReadonlyMap<string, string>): DownloadDigest | undefined {
  const [sha256, sha512] = [digests.get("sha256"), digests.get("sha512")];
  if (sha512 !== undefined) return { algorithm: "sha512", hex: sha512 };
  return sha256 === undefined ? undefined : { algorithm: "sha256", hex: sha256 };
}

/** The line that `parseImageLines` takes apart into these. */
export function imageLine(
  name: string,
  digest: DownloadDigest | undefined,
  guestChecksum: ExpectedDigest | undefined,
): string {
  const ofDownload = digest ? ` ${digest.algorithm}:${digest.hex}` : "";
  return `${name}${ofDownload}${guestChecksum ? ` guest-${guestChecksum.algorithm}:${guestChecksum.hex}` : ""}`;
}
