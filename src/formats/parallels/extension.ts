/**
 * The format extension: one track of features behind a checksum (Parallels specification, "Format Extension"). The one that
 * QEMU knows are dirty bitmaps, of which only the ids are read.
 */

import { MiB } from "../../bytes/align.ts";
import { hex, type ImageError } from "../../bytes/image-error.ts";
import { crypto } from "../../storage/built-ins.ts";
import { readExactly, type Storage } from "../../storage/storage.ts";

const STRUCTURE = "format extension";
const MAGIC = 0xab234cef23dcea87n;
const BITMAP = 0x20385fae252cb34an;
const HEAD_SIZE = 24;
const FEATURE_HEAD_SIZE = 24;
const PIECE_SIZE = MiB;

export interface FormatExtension {
  readonly hostOffset: number;
  readonly length: number;
  /** Ids of the dirty bitmaps, in hex. */
  readonly bitmapNames: readonly string[];
}

type Refuse = (kind: "corrupt" | "unsupported" | "out-of-bounds", because: string, hostOffset: number) => ImageError;

/** Throws ImageError for one that is damaged, or holds what nobody knows. */
export async function readExtension(
  storage: Storage,
  hostOffset: number,
  trackSize: number,
  fileSize: number,
  refuse: Refuse,
): Promise<FormatExtension> {
  if (trackSize < HEAD_SIZE || hostOffset + trackSize > fileSize) {
    throw refuse("out-of-bounds", `its format extension at ${hex(hostOffset)} ends outside the file`, 56);
  }
  const digest = crypto().createHash("md5");
  let first = Buffer.alloc(0);
  for (let at = 0; at < trackSize; at += PIECE_SIZE) {
    const length = Math.min(PIECE_SIZE, trackSize - at);
    const piece = Buffer.from(await readExactly(storage, hostOffset + at, length, STRUCTURE));
    if (at === 0) {
      first = piece;
      if (piece.readBigUInt64LE(0) !== MAGIC) {
        throw refuse("corrupt", `its format extension at ${hex(hostOffset)} does not begin with its magic`, hostOffset);
      }
    }
    digest.update(at === 0 ? piece.subarray(HEAD_SIZE) : piece);
  }
  if (!digest.digest().equals(first.subarray(8, HEAD_SIZE))) {
    throw refuse("corrupt", `the checksum of its format extension at ${hex(hostOffset)} is wrong`, hostOffset + 8);
  }
  return { hostOffset, length: trackSize, bitmapNames: bitmapNamesIn(first, hostOffset, refuse) };
}

/** Features one behind another, until a magic of 0. */
function bitmapNamesIn(bytes: Buffer, hostOffset: number, refuse: Refuse): string[] {
  const names: string[] = [];
  for (let at = HEAD_SIZE; ; ) {
    if (at + FEATURE_HEAD_SIZE > bytes.length) break;
    const magic = bytes.readBigUInt64LE(at);
    if (magic === 0n) break;
    const flags = bytes.readBigUInt64LE(at + 8);
    const length = bytes.readUInt32LE(at + 16);
    const data = bytes.subarray(at + FEATURE_HEAD_SIZE, at + FEATURE_HEAD_SIZE + length);
    if (magic !== BITMAP || flags !== 0n) {
      const flagged = flags === 0n ? "" : ` with flags 0x${flags.toString(16)}`;
      const because = `feature 0x${magic.toString(16)}${flagged} of its format extension is unknown`;
      throw refuse("unsupported", because, hostOffset + at);
    }
    if (data.length < length || length < 32) {
      throw refuse("corrupt", "a bitmap of its format extension ends outside it", hostOffset + at);
    }
    names.push(data.toString("hex", 8, 24));
    at += FEATURE_HEAD_SIZE + Math.ceil(length / 8) * 8;
  }
  return names;
}
