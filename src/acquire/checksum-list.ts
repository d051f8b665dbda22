/** A SHA256SUMS or SHA512SUMS file: which digest is listed for which file name. */

import { ImageError } from "../index.ts";
import { type Digest, digestOfHex } from "./digest.ts";

/** Ubuntu's hold a few hundred lines. */
export const MAX_LIST_BYTES = 2 ** 24;

/** `HEX  name`, `HEX *name`; a leading backslash says that the name's are doubled (coreutils). */
const COREUTILS = /^(\\?)([0-9a-f]{64}|[0-9a-f]{128}) [ *](.+)$/i;
/** `SHA256 (name) = HEX`, as BSD's tools and Fedora write it. */
const TAGGED = /^SHA(?:256|512) \((.+)\) = ([0-9a-f]{64}|[0-9a-f]{128})$/i;

export class ChecksumList {
  readonly #name: string;
  readonly #digests = new Map<string, Digest[]>();

  /**
   * Lines of another kind (comments, a signature's) are passed over.
   *
   * @param name names the list in errors
   * @throws ImageError `not-this-format` where no line is one of a digest
   */
  constructor(text: string, name: string) {
    this.#name = name;
    for (const line of text.split(/\r?\n/)) this.#add(line);
    if (this.#digests.size === 0) {
      const what = "expected lines of a SHA-256 or SHA-512 digest, two spaces and a file name";
      throw new ImageError("not-this-format", `Cannot use ${name} as a list of checksums: ${what}`);
    }
  }

  /** @throws ImageError where `fileName` isn't listed, or is with two digests of which only one can be right */
  digestOf(fileName: string): Digest {
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
    const [, backslash, hex, name] = COREUTILS.exec(line) ?? [];
    const [, taggedName, taggedHex] = TAGGED.exec(line) ?? [];
    const digest = digestOfHex(hex ?? taggedHex ?? "");
    const written = name ?? taggedName;
    if (digest === undefined || written === undefined) return;
    const path = backslash ? written.replace(/\\([\\n])/g, (_, what) => (what === "n" ? "\n" : "\\")) : written;
    const fileName = path.split("/").at(-1) ?? "";
    this.#digests.set(fileName, [...(this.#digests.get(fileName) ?? []), digest]);
  }

  #unusable(fileName: string, why: string): ImageError {
    return new ImageError("verification-failed", `Cannot find the digest of ${fileName} in ${this.#name}: ${why}`);
  }
}
