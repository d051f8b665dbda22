/**
 * What an OVF descriptor says of the files of its disks (DSP0243, sections 7.1 and 9.1), found by a scan of its tags:
 *
 *   <File ovf:id="file1" ovf:href="disk1.vmdk" ovf:compression="gzip"/>
 *   <Disk ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="http://...vmdk.html#streamOptimized"/>
 */

/** A long one, in all languages, has some 100 KiB. */
export const MAX_OVF_BYTES = 2 ** 20;
/** Of elements that are looked at; one that has more is none of a machine. */
const MAX_ELEMENTS = 10_000;

/** The file of one disk. */
export interface OvfDisk {
  /** As written, its characters resolved; undefined where no file of that id is named. */
  readonly href: string | undefined;
  /** `gzip`, say; undefined where the file is what it is. */
  readonly compression: string | undefined;
  /** Whether it is cut into files of one size, which its name does not name. */
  readonly isChunked: boolean;
  /** A URI. */
  readonly format: string;
}

export function isOvfName(name: string): boolean {
  return /[^/]\.ovf$/i.test(name);
}

/** The disks that have a file; undefined of a text that is no such descriptor. */
export function ovfDisks(bytes: Uint8Array): readonly OvfDisk[] | undefined {
  const files = new Map<string, ReadonlyMap<string, string>>();
  const disks: ReadonlyMap<string, string>[] = [];
  let isEnvelope = false;
  let count = 0;
  for (const { name, attributes } of tagsOf(textOf(bytes))) {
    if (++count > MAX_ELEMENTS) return undefined;
    if (count === 1) isEnvelope = name === "Envelope";
    if (!isEnvelope) return undefined;
    if (name === "File") files.set(attributes.get("id") ?? "", attributes);
    if (name === "Disk" && attributes.has("fileRef")) disks.push(attributes);
  }
  if (!isEnvelope) return undefined;
  return disks.map((disk) => {
    const file = files.get(disk.get("fileRef") ?? "");
    const compression = file?.get("compression");
    return {
      href: file?.get("href"),
      compression: compression === "identity" || compression === "" ? undefined : compression,
      isChunked: file?.has("chunkSize") ?? false,
      format: disk.get("format") ?? "",
    };
  });
}

function textOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

interface Tag {
  /** Without its namespace's prefix, as its attributes' names. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** What opens an element, sticky. No two parts of it take the same characters side by side. */
const OPENING = /<(?:[\w.-]+:)?([\w.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*\/?>/y;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
/** Between these nothing is a tag. */
const PASSED_OVER = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
] as const;

/** A text in its parts: what may hold elements, and, passed over, what may not. */
export function* stretchesOf(text: string): Generator<{ readonly part: string; readonly isPassedOver: boolean }> {
  let start = 0;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    const passed = PASSED_OVER.find(([opening]) => text.startsWith(opening, at));
    if (passed === undefined) {
      at++;
      continue;
    }
    const end = text.indexOf(passed[1], at + passed[0].length);
    const next = end < 0 ? text.length : end + passed[1].length;
    yield { part: text.slice(start, at), isPassedOver: false };
    yield { part: text.slice(at, next), isPassedOver: true };
    start = next;
    at = next;
  }
  yield { part: text.slice(start), isPassedOver: false };
}

function* tagsOf(text: string): Generator<Tag> {
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    const passed = PASSED_OVER.find(([start]) => text.startsWith(start, at));
    if (passed !== undefined) {
      const end = text.indexOf(passed[1], at + passed[0].length);
      if (end < 0) return;
      at = end + passed[1].length;
      continue;
    }
    OPENING.lastIndex = at;
    const [whole, name, said = ""] = OPENING.exec(text) ?? [];
    if (name !== undefined) yield { name, attributes: attributesIn(said) };
    at += whole?.length ?? 1;
  }
}

function attributesIn(said: string): Map<string, string> {
  const pairs = Array.from(said.matchAll(ATTRIBUTE), ([, name = "", double, single = ""]) => {
    const local = name.slice(name.lastIndexOf(":") + 1);
    return [local, unescaped(double ?? single)] as const;
  });
  return new Map(pairs);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{1,4}));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
