/**
 * A VMDK's descriptor: the text that says what its disk is and which files hold it ("Virtual Disk Format 5.0", "The Descriptor").
 *
 *   # Disk DescriptorFile                  lines, in any order; # begins a comment
 *   version=1
 *   CID=99e73cb8                           changes with the first write after each opening
 *   parentCID=ffffffff                     of the disk below; ffffffff: none
 *   createType="monolithicFlat"
 *   RW 20480 FLAT "disk-flat.vmdk" 0       access, sectors, type, file, where in it
 *   ddb.geometry.heads = "16"              what machines ask for
 *
 * It may stand alone in a file, or inside a sparse image; zeros fill it up there. Which types and extents can be read is
 * said elsewhere (extents.ts): here only what the text says, each thing once.
 */

import { MiB } from "../../bytes/align.ts";
import { ImageError, type ImageErrorKind } from "../../bytes/image-error.ts";
import { imageNamed, placeAt, say, type Words } from "../../bytes/sentence.ts";

export const DESCRIPTOR_MARK = "# Disk DescriptorFile";
export const NO_PARENT = 0xffff_ffff;
/** A real one has some 500 bytes, of 2,000 extents 200 KiB. */
export const MAX_DESCRIPTOR_LENGTH = MiB;
const MAX_EXTENTS = 8192;
/** More digits are no number of sectors. */
const MAX_DIGITS = 15;

export interface VmdkExtent {
  readonly access: "RW" | "RDONLY" | "NOACCESS";
  readonly sectors: number;
  /** `FLAT`, `SPARSE`, `ZERO`, `VMFS`, ... */
  readonly type: string;
  /** As it stands there: nothing says yet that it may be opened. Empty where there is none. */
  readonly fileName: string;
  /** Sectors into the file; undefined where it is left out. */
  readonly offset: number | undefined;
  /** Where the line lies in the text, for messages. */
  readonly at: number;
}

export interface VmdkDescriptor {
  readonly version: number;
  readonly cid: number;
  readonly parentCid: number;
  readonly createType: string;
  readonly extents: readonly VmdkExtent[];
  /** All other lines of the form key = "value", e.g. `ddb.adapterType`; keys in small letters. */
  readonly values: ReadonlyMap<string, string>;
  /** Where a key's line lies in the text. */
  placeOf(key: string): number;
}

/** Refuses an image by what its descriptor says. */
export type Refuse = (kind: ImageErrorKind, because: Words, at: number, remedy?: Words) => ImageError;

export function refusing(path: string, structure = "descriptor"): Refuse {
  return (kind, because, at, remedy = undefined) =>
    new ImageError(kind, say`Cannot open ${imageNamed(path)}`, {
      because: say`${because} (at host offset ${placeAt(at)})`,
      remedy,
      format: "vmdk",
      path,
      structure,
      hostOffset: at,
    });
}

/** Throws ImageError for what is no descriptor, or says a thing twice. */
export function parseDescriptor(bytes: Uint8Array, refuse: Refuse): VmdkDescriptor {
  if (bytes.length > MAX_DESCRIPTOR_LENGTH)
    throw refuse("unsupported", `its descriptor is longer than ${MAX_DESCRIPTOR_LENGTH} bytes`, 0);
  const values = new Map<string, string>();
  const places = new Map<string, number>();
  const extents: VmdkExtent[] = [];
  for (const { line, at } of linesOf(bytes)) {
    const extent = extentIn(line, at, refuse);
    if (extent !== undefined) {
      if (extents.push(extent) > MAX_EXTENTS) throw refuse("unsupported", `it has over ${MAX_EXTENTS} extents`, at);
      continue;
    }
    const [, name, rest = ""] = SAYING.exec(line) ?? [];
    const value = unquoted(rest.trim());
    if (name === undefined || value === undefined) continue;
    const key = name.toLowerCase();
    // Readers differ in which of two they take.
    if (values.has(key)) throw refuse("corrupt", `its descriptor says ${name} twice`, at);
    values.set(key, value);
    places.set(key, at);
  }
  const placeOf = (key: string) => places.get(key.toLowerCase()) ?? 0;
  const version = numberOf(values.get("version"), /^\d{1,9}$/, 10);
  const createType = values.get("createtype");
  if (version === undefined || createType === undefined)
    throw refuse("not-this-format", "it has no VMDK descriptor, whose lines are version and createType", 0);
  refuseHidden(bytes, refuse);
  if (version < 1 || version > 3)
    throw refuse("unsupported", `version ${version} of its descriptor is none of 1, 2 and 3`, placeOf("version"));
  const cid = numberOf(values.get("cid"), HEX, 16);
  if (cid === undefined) throw refuse("corrupt", "its descriptor has no CID in hex", placeOf("cid"));
  const parentCid = values.has("parentcid") ? numberOf(values.get("parentcid"), HEX, 16) : NO_PARENT;
  if (parentCid === undefined) throw refuse("corrupt", "its parentCID is no number in hex", placeOf("parentCID"));
  return { version, cid, parentCid, createType, extents, values, placeOf };
}

const HEX = /^[0-9a-f]{1,8}$/i;

function numberOf(text: string | undefined, form: RegExp, base: 10 | 16): number | undefined {
  return text !== undefined && form.test(text) ? Number.parseInt(text, base) : undefined;
}

/**
 * What follows a zero byte is none of the text, and must be zeros. QEMU writes a CID without its leading zeros over a longer one
 * (seen with 7.2, once in 256 images): behind the zero stays the end of the text that was there, shorter than any line.
 */
function refuseHidden(bytes: Uint8Array, refuse: Refuse): void {
  const end = endOf(bytes);
  const behind = Buffer.from(bytes.buffer, bytes.byteOffset + end, bytes.length - end);
  const hidden = behind.findIndex((byte) => byte !== 0);
  if (hidden < 0) return;
  const length = behind.findLastIndex((byte) => byte !== 0) + 1 - hidden;
  const left = behind.subarray(hidden, hidden + length);
  if (hidden === 1 && length <= MAX_LEFT_BEHIND && left.equals(bytes.subarray(end - length, end))) return;
  throw refuse("corrupt", "text follows the zeros that end its descriptor", end + hidden);
}

/** A CID of one digit over one of eight moves the zero by seven bytes, and itself takes one of them. */
const MAX_LEFT_BEHIND = 6;

function endOf(bytes: Uint8Array): number {
  const zero = bytes.indexOf(0);
  return zero < 0 ? bytes.length : zero;
}

/** Without comments and empty lines, as bytes in Latin-1. */
function* linesOf(bytes: Uint8Array): Generator<{ readonly line: string; readonly at: number }> {
  const end = endOf(bytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, end).toString("latin1");
  let at = 0;
  for (const whole of text.split("\n")) {
    const line = whole.trim();
    if (line !== "" && !line.startsWith("#")) yield { line, at };
    at += whole.length + 1;
  }
}

/** No two parts of it, nor of EXTENT, take the same characters side by side: a line of spaces would be tried in all ways. */
const SAYING = /^([\w.]+)\s*=(.*)$/s;

/** With quotes at both ends or with none; undefined for others. */
function unquoted(value: string): string | undefined {
  const bare = value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  return bare.includes('"') ? undefined : bare.trim();
}

/** Three to seven values: what follows the offset names a device, which no file has. */
const EXTENT = /^(RW|RDONLY|NOACCESS)\s+(\d+)\s+(\w+)(?:\s+"([^"]*)"(?:\s+(\d+)(?:\s+\S+){0,2})?)?$/;

/**
 * The names of all files that its extents' lines name, as they stand there, whatever else of the text can't be read here: many
 * extents, another type of VMDK, a path. Whoever opens it takes them for its disk.
 */
export function filesNamedIn(bytes: Uint8Array): readonly string[] {
  const names = new Set<string>();
  for (const { line } of linesOf(bytes)) {
    const [, name] = FILE_OF_EXTENT.exec(line) ?? [];
    if (name !== undefined) names.add(nameIn(name));
  }
  return [...names];
}

const FILE_OF_EXTENT = /^(?:RW|RDONLY|NOACCESS)\s+\d+\s+\w+\s+"([^"]+)"/i;

/** Names are UTF-8, where nothing says otherwise. */
function nameIn(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

function extentIn(line: string, at: number, refuse: Refuse): VmdkExtent | undefined {
  if (!/^(?:RW|RDONLY|NOACCESS)(?:\s|$)/i.test(line)) return undefined;
  const [found, access, sectors = "", type = "", name = "", offset] = EXTENT.exec(line) ?? [];
  if (found === undefined) throw refuse("corrupt", "an extent's line can't be read", at);
  if (sectors.length > MAX_DIGITS || (offset?.length ?? 0) > MAX_DIGITS)
    throw refuse("corrupt", "an extent's line has a number beyond all sizes", at);
  return {
    access: access as VmdkExtent["access"],
    sectors: Number(sectors),
    type,
    fileName: nameIn(name),
    offset: offset === undefined ? undefined : Number(offset),
    at,
  };
}
