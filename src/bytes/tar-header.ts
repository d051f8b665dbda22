/** The block before each member of a tar archive, and what stands before that (POSIX.1-2017, ustar and pax; GNU's long names and binary sizes). */

import { ImageError } from "./image-error.ts";
import { bytes, type StructValues, struct, u8 } from "./struct.ts";

export const TAR_BLOCK = 512;
/** Of one extended header; paths are the longest thing in it. */
const MAX_EXTENDED = 2 ** 20;

const TarFields = struct(
  "tar header",
  "be",
  { at: 0, size: TAR_BLOCK },
  {
    name: bytes(0, 100),
    mode: bytes(100, 8),
    owner: bytes(108, 8),
    group: bytes(116, 8),
    size: bytes(124, 12),
    time: bytes(136, 12),
    sum: bytes(148, 8),
    type: u8(156),
    linkName: bytes(157, 100),
    magic: bytes(257, 6),
    version: bytes(263, 2),
    ownerName: bytes(265, 32),
    groupName: bytes(297, 32),
    deviceMajor: bytes(329, 8),
    deviceMinor: bytes(337, 8),
    prefix: bytes(345, 155),
    padding: bytes(500, 12),
  },
);
type TarValues = StructValues<typeof TarFields.fields>;

export interface TarMember {
  /** As written: not to be trusted. */
  readonly name: string;
  /** `other` is a link, a device, a sparse map or whatever else holds no file's bytes as they are. */
  readonly kind: "file" | "folder" | "other";
  readonly size: number;
}

/** What a block says: a member begins behind it, or so many bytes that say something of the next one. */
export type TarBlock = { readonly member: TarMember } | { readonly extended: number };

/** Reads an archive's blocks in order; every throw is an ImageError `corrupt` that names nothing. */
export class TarReader {
  #type = "";
  #extended: Extended = {};

  /** Whether something was said of a member that has not come. */
  get isWaiting(): boolean {
    return this.#type !== "";
  }

  /** @param block TAR_BLOCK bytes, not all of them zeros */
  next(block: Uint8Array): TarBlock {
    const values = TarFields.parse(block);
    if (readNumber(values.sum) !== sumOf(block))
      throw corrupt("what stands where an entry should begin is no tar header");
    const type = String.fromCharCode(values.type);
    const isExtended = "xLKg".includes(type);
    const size = (isExtended ? undefined : this.#extended.size) ?? readNumber(values.size);
    if (!Number.isSafeInteger(size) || size < 0) throw corrupt("an entry's size is no number");
    if (isExtended) {
      if (size > MAX_EXTENDED) throw corrupt("an extended header is larger than 1 MiB");
      this.#type = type;
      return { extended: size };
    }
    const member = memberOf(values, type, size, this.#extended);
    this.#extended = {};
    this.#type = "";
    return { member };
  }

  /** The bytes that the last block told of. */
  addExtended(content: Uint8Array): void {
    const text = Buffer.from(content.buffer, content.byteOffset, content.length);
    if (this.#type === "x") this.#extended = { ...this.#extended, ...readPax(text) };
    if (this.#type === "L") this.#extended = { ...this.#extended, path: readText(text) };
    // One name or size for all members is none.
    if (this.#type === "g" && Object.keys(readPax(text)).length > 0)
      throw corrupt("a header of all its entries gives each the same name or size");
  }
}

interface Extended {
  readonly path?: string;
  readonly size?: number;
  readonly isSparse?: boolean;
}

function memberOf(values: TarValues, type: string, size: number, { path, isSparse }: Extended): TarMember {
  const name = path ?? nameOf(values);
  const isFolder = type === "5" || ("07\0".includes(type) && name.endsWith("/"));
  const isFile = "07\0".includes(type) && !isSparse;
  // Links have no bytes, whatever their size says.
  return { name, kind: isFolder ? "folder" : isFile ? "file" : "other", size: "12".includes(type) ? 0 : size };
}

/** Records of `LENGTH KEY=VALUE\n`. */
function readPax(content: Buffer): Extended {
  let extended: Extended = {};
  for (let start = 0; start < content.length; ) {
    const [head, digits] = /^(\d{1,7}) /.exec(content.toString("latin1", start, start + 8)) ?? [];
    const length = Number(digits);
    if (head === undefined || length <= head.length || start + length > content.length)
      throw corrupt("a record of an extended header has no right length");
    const record = content.toString("utf8", start + head.length, start + length - 1);
    const [, key, value = ""] = /^([^=]+)=(.*)$/s.exec(record) ?? [];
    if (key === undefined) throw corrupt("a record of an extended header has no key");
    if (key === "path") extended = { ...extended, path: value };
    if (key === "size") extended = { ...extended, size: /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN };
    if (key.startsWith("GNU.sparse.")) extended = { ...extended, isSparse: true };
    start += length;
  }
  return extended;
}

function nameOf({ name, prefix, magic }: TarValues): string {
  const before = Buffer.from(magic).toString("latin1") === "ustar\0" ? readText(prefix) : "";
  return before === "" ? readText(name) : `${before}/${readText(name)}`;
}

function readText(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(field).toString("utf8", 0, end < 0 ? field.length : end);
}

/** Octal digits, or GNU's and star's big-endian binary where the first bit is set. */
function readNumber(field: Uint8Array): number {
  if (field[0] === 0x80) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  const text = Buffer.from(field)
    .toString("latin1")
    .replace(/[\0 ]+$/, "")
    .trimStart();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || "0", 8) : Number.NaN;
}

/** Of all bytes, with spaces where it stands itself. */
function sumOf(block: Uint8Array): number {
  return block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

function corrupt(why: string): ImageError {
  return new ImageError("corrupt", why);
}

export function paddedToBlocks(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

/** The block before a plain file; `time` in seconds since 1970. Throws RangeError for a name of more than 100 bytes. */
export function tarHeader(name: string, size: number, time: number): Uint8Array {
  const text = (value: string, length: number) => {
    const field = Buffer.alloc(length);
    if (field.write(value) < Buffer.byteLength(value)) throw new RangeError(`${value} has more than ${length} bytes`);
    return new Uint8Array(field);
  };
  const octal = (value: number, length: number) => text(`${value.toString(8).padStart(length - 1, "0")}\0`, length);
  const block = new Uint8Array(TAR_BLOCK);
  const values = {
    name: text(name, 100),
    mode: octal(0o644, 8),
    owner: octal(0, 8),
    group: octal(0, 8),
    size: size < 8 ** 11 ? octal(size, 12) : binary(size),
    time: octal(time, 12),
    sum: text("        ", 8),
    type: "0".charCodeAt(0),
    linkName: text("", 100),
    magic: text("ustar\0", 6),
    version: text("00", 2),
    ownerName: text("", 32),
    groupName: text("", 32),
    deviceMajor: octal(0, 8),
    deviceMinor: octal(0, 8),
    prefix: text("", 155),
    padding: text("", 12),
  };
  TarFields.encode(values, block);
  TarFields.encode({ ...values, sum: text(`${sumOf(block).toString(8).padStart(6, "0")}\0 `, 8) }, block);
  return block;
}

/** GNU's, for what octal digits can't say: 8 GiB and more. */
function binary(value: number): Uint8Array {
  const field = Buffer.alloc(12);
  field[0] = 0x80;
  field.writeBigUInt64BE(BigInt(value), 4);
  return new Uint8Array(field);
}
