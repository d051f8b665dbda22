/** What a download's name says must be undone: its compression, and whether it is an archive of images. */

import * as zlib from "node:zlib";
import { ImageError } from "../../index.ts";
import { ByteReader, type Bytes } from "./byte-reader.ts";
import { bzip2Contents } from "./bzip2-contents.ts";
import { OUTPUT_CHUNK, transformed } from "./piped-contents.ts";
import { xzContents } from "./xz-contents.ts";
import { zstdContents } from "./zstd-frames.ts";

interface Codec {
  readonly name: string;
  /** What a file of it begins with. */
  readonly magics: readonly (readonly number[])[];
  contents(bytes: Bytes): AsyncIterable<Uint8Array>;
}

/** A frame, or one of the sixteen kinds of skippable frames. */
const ZSTD_MAGICS = [
  [0x28, 0xb5, 0x2f, 0xfd],
  ...Array.from({ length: 16 }, (_, kind) => [0x50 + kind, 0x2a, 0x4d, 0x18]),
];

const gzip: Codec = {
  name: "gzip",
  magics: [[0x1f, 0x8b]],
  contents: (bytes) => transformed(bytes, zlib.createGunzip({ chunkSize: OUTPUT_CHUNK })),
};
const xz: Codec = { name: "xz", magics: [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]], contents: xzContents };
const zstd: Codec = { name: "zstd", magics: ZSTD_MAGICS, contents: zstdContents };
const bzip2: Codec = { name: "bzip2", magics: [[0x42, 0x5a, 0x68]], contents: bzip2Contents };

const CODECS: Readonly<Record<string, Codec>> = { ".gz": gzip, ".xz": xz, ".zst": zstd, ".bz2": bzip2 };
const TAR_CODECS: Readonly<Record<string, Codec | undefined>> = {
  ".ova": undefined,
  ".tar": undefined,
  ".tgz": gzip,
  ".txz": xz,
  ".tzst": zstd,
  ".tbz2": bzip2,
  ".tbz": bzip2,
};

export interface Unpacking {
  /** The name without the suffixes that are undone. */
  readonly name: string;
  readonly codec: Codec | undefined;
  readonly isArchive: boolean;
}

export function unpackingOf(name: string): Unpacking {
  for (const [suffix, codec] of Object.entries(TAR_CODECS)) {
    const bare = without(name, suffix);
    if (bare !== undefined) return { name: bare, codec, isArchive: true };
  }
  for (const [suffix, codec] of Object.entries(CODECS)) {
    const bare = without(name, suffix);
    if (bare === undefined) continue;
    const archive = without(bare, ".tar") ?? without(bare, ".ova");
    return { name: archive ?? bare, codec, isArchive: archive !== undefined };
  }
  return { name, codec: undefined, isArchive: false };
}

/**
 * The bytes that `bytes` are when `codec` is undone.
 *
 * @param what names the download in errors
 * @throws ImageError `not-this-format` where they begin otherwise, `corrupt` or `unsupported` from the codec
 */
export async function* unpacked(bytes: Bytes, codec: Codec | undefined, what: string): AsyncGenerator<Uint8Array> {
  if (codec === undefined) {
    yield* bytes;
    return;
  }
  let sourceError: unknown;
  const reader = new ByteReader(
    noting(bytes, (error) => {
      sourceError = error;
    }),
  );
  const start = await reader.peek(6);
  if (!codec.magics.some((magic) => magic.every((byte, index) => start[index] === byte))) {
    const instead = start.length === 0 ? "it is empty" : `it is not ${codec.name} data, whatever its name says`;
    throw new ImageError("not-this-format", `Cannot unpack ${what}: ${instead}`, { operation: "unpack" });
  }
  try {
    yield* codec.contents(reader.bytes());
  } catch (cause) {
    if (sourceError !== undefined) throw sourceError;
    const { message } = cause as Error;
    const kind = cause instanceof ImageError ? cause.kind : "corrupt";
    const advice = kind === "corrupt" ? "; look whether the file at the source is whole" : "";
    throw new ImageError(kind, `Cannot unpack ${what} as ${codec.name}: ${message}${advice}`, {
      operation: "unpack",
      cause,
    });
  }
}

/** Remembers what `bytes` failed with: a transform between hides whose error it was. */
async function* noting(bytes: Bytes, note: (error: unknown) => void): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    note(error);
    throw error;
  }
}

function without(name: string, suffix: string): string | undefined {
  const isIt = name.length > suffix.length && name.toLowerCase().endsWith(suffix);
  return isIt ? name.slice(0, -suffix.length) : undefined;
}
