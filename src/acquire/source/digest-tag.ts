/** The names of digests as tools write them before a file's name: `SHA256 (name) = HEX`, `SHA256(name)= HEX`. */

export type TaggedAlgorithm = "sha1" | "sha256" | "sha512";

export interface TaggedLine {
  /** As written. */
  readonly tag: string;
  /** Undefined for one that we don't compute. */
  readonly algorithm: TaggedAlgorithm | undefined;
  readonly name: string;
  /** Lower case, of whatever length. */
  readonly hex: string;
}

export const TAGGED_HEX_DIGITS: Readonly<Record<TaggedAlgorithm, number>> = { sha1: 40, sha256: 64, sha512: 128 };

/** OpenSSL 3 says `SHA2-256`. */
const ALGORITHMS: Readonly<Record<string, TaggedAlgorithm | undefined>> = {
  SHA1: "sha1",
  "SHA-1": "sha1",
  SHA256: "sha256",
  "SHA-256": "sha256",
  "SHA2-256": "sha256",
  SHA512: "sha512",
  "SHA-512": "sha512",
  "SHA2-512": "sha512",
};
const LINE = /^\s*([A-Z][A-Z0-9/-]{1,15})\s*\((.+)\)\s*=\s*([0-9A-F]+)\s*$/i;

/** Undefined where the line is of another form. */
export function taggedLine(line: string): TaggedLine | undefined {
  const [, tag = "", name = "", hex = ""] = LINE.exec(line) ?? [];
  if (tag === "") return undefined;
  return { tag, algorithm: ALGORITHMS[tag.toUpperCase()], name, hex: hex.toLowerCase() };
}
