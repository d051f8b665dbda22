/**
 * Digests as tools write them before a file's name, `SHA256 (name) = HEX`, `SHA256(name)= HEX`, and a manifest of such lines
 * (DSP0243, section 6.2), which lies in the archive that it speaks of.
 */

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

const TAGGED_HEX_DIGITS: Readonly<Record<TaggedAlgorithm, number>> = { sha1: 40, sha256: 64, sha512: 128 };
export const TAGGED_ALGORITHMS = Object.keys(TAGGED_HEX_DIGITS) as readonly TaggedAlgorithm[];

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

/** Of an archive of a thousand disks it has 200 KiB. */
export const MAX_MANIFEST_BYTES = 2 ** 20;

export function isManifestName(name: string): boolean {
  return /[^/]\.mf$/i.test(name);
}

export interface ManifestText {
  readonly lines: readonly TaggedLine[];
  /** The number of the first line that is no digest of a file. */
  readonly badLine?: number;
}

/** Undefined for what archives of Java call so. */
export function manifestText(text: string): ManifestText | undefined {
  const written = text.replace(/^\ufeff/, "");
  if (written.startsWith("Manifest-Version:")) return undefined;
  const lines: TaggedLine[] = [];
  for (const [index, line] of written.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const tagged = taggedLine(line);
    const digits = tagged?.algorithm && TAGGED_HEX_DIGITS[tagged.algorithm];
    if (tagged === undefined || (digits !== undefined && tagged.hex.length !== digits))
      return { lines, badLine: index + 1 };
    lines.push(tagged);
  }
  return { lines };
}

/** A member's name without what leads nowhere: `./a//b` is `a/b`. */
export function plainMember(name: string): string {
  return name
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

/** Names are relative to the manifest's folder; some tools write them from the archive's root. */
export function membersMeant(manifest: string, name: string): readonly string[] {
  const folder = manifest.split("/").slice(0, -1).join("/");
  return [plainMember(`${folder}/${name}`), plainMember(name)];
}

/** Whoever made the archive made its manifest. `proven`: by name, with the algorithms as they are written. */
export function agreementText(
  manifest: string,
  archive: string,
  proven: ReadonlyMap<string, ReadonlySet<string>>,
): string {
  const agreeing = [...proven].map(([name, tags]) => `${name} (${[...tags].join(", ")})`);
  return `The manifest ${manifest} in ${archive} agrees with ${listed(agreeing)}: that is proof against corruption, not against forgery`;
}

/** Names that one sentence holds. */
const SHOWN = 5;

export function listed(names: readonly string[], most = SHOWN): string {
  const more = names.length - most;
  return `${names.slice(0, most).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
