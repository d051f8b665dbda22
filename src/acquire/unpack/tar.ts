/** The entries of a tar archive, read once from its start to its end (POSIX.1-2017, pax and ustar; GNU's long names). */

import { ImageError } from "../../index.ts";
import { ByteReader, type Bytes } from "./byte-reader.ts";

export interface TarEntry {
  /** As written: not to be trusted. */
  readonly name: string;
  /** `other` is a link, a device, a sparse map or whatever else holds no file's bytes as they are. */
  readonly kind: "file" | "folder" | "other";
  readonly size: number;
  /** To be read, if at all, before the next entry is asked for. */
  bytes(): AsyncIterable<Uint8Array>;
}

const BLOCK = 512;
/** Of one extended header; paths are the longest thing in it. */
const MAX_EXTENDED = 2 ** 20;

/** @throws ImageError `corrupt` where the archive is damaged or cut off */
export async function* tarEntries(bytes: Bytes): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(bytes);
  let extended: Extended = {};
  for (;;) {
    // An archive should end in two blocks of zeros; many end without.
    if ((await reader.peek(1)).length === 0) return;
    const header = Buffer.from(await reader.take(BLOCK));
    if (header.every((byte) => byte === 0)) {
      // To its end, so that whoever takes the digest of it all sees it all.
      for await (const _ of reader.bytes());
      return;
    }
    refuseWrongSum(header);
    const type = String.fromCharCode(header.readUInt8(156));
    const size = extended.size ?? readNumber(header.subarray(124, 136));
    if (!Number.isSafeInteger(size) || size < 0) throw new ImageError("corrupt", "an entry's size is no number");

    if ("xLKg".includes(type)) {
      if (size > MAX_EXTENDED) throw new ImageError("corrupt", "an extended header is larger than 1 MiB");
      const content = Buffer.from(await reader.take(padded(size))).subarray(0, size);
      if (type === "x") extended = { ...extended, ...readPax(content) };
      else if (type === "L") extended = { ...extended, path: readText(content) };
      continue;
    }
    const name = extended.path ?? nameOf(header);
    const isFolder = type === "5" || name.endsWith("/");
    const isFile = "07\0".includes(type) && !extended.isSparse;
    // Links have no bytes, whatever their size says.
    const length = "12".includes(type) ? 0 : size;
    let left = length;
    yield {
      name,
      kind: isFolder ? "folder" : isFile ? "file" : "other",
      size: length,
      async *bytes() {
        while (left > 0) {
          const chunk = await reader.chunk(left);
          if (chunk === undefined) throw new ImageError("corrupt", "it is cut off");
          left -= chunk.length;
          yield chunk;
        }
      },
    };
    await reader.skip(left + padded(length) - length);
    extended = {};
  }
}

interface Extended {
  readonly path?: string;
  readonly size?: number;
  readonly isSparse?: boolean;
}

/** Records of `LENGTH KEY=VALUE\n`. */
function readPax(content: Buffer): Extended {
  let extended: Extended = {};
  for (let start = 0; start < content.length; ) {
    const [head, digits] = /^(\d{1,7}) /.exec(content.toString("latin1", start, start + 8)) ?? [];
    const length = Number(digits);
    if (head === undefined || length <= head.length || start + length > content.length) {
      throw new ImageError("corrupt", "a record of an extended header has no right length");
    }
    const record = content.toString("utf8", start + head.length, start + length - 1);
    const [, key, value = ""] = /^([^=]+)=(.*)$/s.exec(record) ?? [];
    if (key === undefined) throw new ImageError("corrupt", "a record of an extended header has no key");
    if (key === "path") extended = { ...extended, path: value };
    if (key === "size") extended = { ...extended, size: /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN };
    if (key.startsWith("GNU.sparse.")) extended = { ...extended, isSparse: true };
    start += length;
  }
  return extended;
}

function nameOf(header: Buffer): string {
  const name = readText(header.subarray(0, 100));
  const isUstar = header.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isUstar ? readText(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function readText(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? field.length : end);
}

/** Octal digits, or GNU's and star's big-endian binary where the first bit is set. */
function readNumber(field: Buffer): number {
  const first = field.readUInt8(0);
  if (first === 0x80) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  const text = field
    .toString("latin1")
    .replace(/[\0 ]+$/, "")
    .trimStart();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || "0", 8) : Number.NaN;
}

function refuseWrongSum(header: Buffer): void {
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  if (readNumber(header.subarray(148, 156)) !== sum) {
    throw new ImageError("corrupt", "what stands where an entry should begin is no tar header");
  }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
