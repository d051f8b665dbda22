/** A SHA256SUMS or SHA512SUMS file, or the one digest that lies beside a file: which digest is whose. */

import { taggedLine } from "../../bytes/digest-manifest.ts";
import { ImageError } from "../../index.ts";
import { strayContent } from "../http/stray-content.ts";
import { type Digest, digestOfHex } from "../source/digest.ts";
import { lastSegment } from "../source/file-name.ts";

/** Ubuntu's hold a few hundred lines. */
export const MAX_LIST_BYTES = 2 ** 24;

/**
 * `HEX  name`, `HEX *name`; a leading backslash says that the name's are doubled (coreutils). People part them by one
 * space or a tab as well.
 */
const COREUTILS = /^\s*(\\?)([0-9a-f]{64}|[0-9a-f]{128})[ \t]+\*?(\S.*)$/i;
const BARE = /^\s*([0-9a-f]{64}|[0-9a-f]{128})\s*$/i;

const SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE = "-----BEGIN PGP SIGNATURE-----";

export class ChecksumList {
  readonly #name: string;
  readonly #digests = new Map<string, Digest[]>();
  /** Where the list holds nothing else: of the file that it lies beside. */
  readonly #only: Digest | undefined;

  /**
   * Lines of another kind (comments, a signature's) are passed over.
   *
   * @param name names the list in errors
   * @throws ImageError `not-this-format` where no line is one of a digest
   */
  constructor(text: string, name: string) {
    this.#name = name;
    const lines = signedLines(text.replace(/^\ufeff/, "").split(/\r?\n/));
    for (const line of lines) this.#add(line);
    const words = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
    const [, hex = ""] = words.length === 1 ? (BARE.exec(words[0] ?? "") ?? []) : [];
    this.#only = digestOfHex(hex);
    if (this.#digests.size === 0 && this.#only === undefined) {
      const stray = strayContent(Buffer.from(text.slice(0, 4096)));
      const what = stray
        ? `it is ${stray}`
        : "expected lines of a SHA-256 or SHA-512 digest and a file name, or one digest alone";
      throw new ImageError("not-this-format", `Cannot use ${name} as a list of checksums: ${what}`);
    }
  }

  /** @throws ImageError where `fileName` isn't listed, or is with two digests of which only one can be right */
  digestOf(fileName: string): Digest {
    if (this.#only) return this.#only;
    const all = this.#digests.get(fileName) ?? [];
    const [first] = all;
    if (first === undefined) throw this.#unusable(fileName, "it isn't listed; name the list that lies beside it");
    // SHA-512 beside SHA-256 is no contradiction; the longer one is taken.
    const longest = all.find(({ algorithm }) => algorithm === "sha512") ?? first;
    if (all.some(({ algorithm, hex }) => algorithm === longest.algorithm && hex !== longest.hex)) {
      throw this.#unusable(fileName, "it is listed twice with different digests");
    }
    return longest;
  }

  #add(line: string): void {
    const [, backslash, plainHex, plainName] = COREUTILS.exec(line) ?? [];
    const tagged = taggedLine(line);
    const digest = digestOfHex(plainHex ?? tagged?.hex ?? "");
    const written = plainName ?? tagged?.name;
    if (digest === undefined || written === undefined) return;
    // Digits that are no digest of the algorithm named before them prove nothing.
    if (plainHex === undefined && tagged?.algorithm !== digest.algorithm) return;
    const path = backslash ? written.replace(/\\([\\n])/g, (_, what) => (what === "n" ? "\n" : "\\")) : written;
    const fileName = fileNameOf(path.trimEnd());
    this.#digests.set(fileName, [...(this.#digests.get(fileName) ?? []), digest]);
  }

  #unusable(fileName: string, why: string): ImageError {
    return new ImageError("verification-failed", `Cannot find the digest of ${fileName} in ${this.#name}: ${why}`);
  }
}

/** UTF-8, or UTF-16 where a byte order mark says so, as PowerShell writes files. */
export function listText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/** What a clear signature covers (RFC 9580, section 7), or all lines where there is none. */
function signedLines(lines: readonly string[]): readonly string[] {
  const start = lines.findIndex((line) => line.trimEnd() === SIGNED);
  if (start < 0) return lines;
  const end = lines.findIndex((line, index) => index > start && line.trimEnd() === SIGNATURE);
  const signed = lines.slice(start + 1, end < 0 ? undefined : end);
  // `Hash: SHA256` and its like, up to a blank line.
  const body = signed.findIndex((line) => !/^[A-Za-z-]+: /.test(line));
  return signed.slice(Math.max(0, body)).map((line) => line.replace(/^- /, ""));
}

function fileNameOf(path: string): string {
  if (/^https?:\/\//i.test(path) && URL.canParse(path)) return lastSegment(new URL(path));
  return path.split("/").at(-1) ?? "";
}
