/**
 * Zstandard (RFC 8878) frame by frame: Node's decoder silently stops after the first frame and gives nothing where a
 * skippable one comes first, and both decoders allocate the window that a header asks for.
 */

import * as zlib from "node:zlib";
import { Decompress } from "fzstd";
import {
  MAX_ZSTD_HEADER,
  ZSTD_BLOCK_HEADER,
  ZSTD_MAGIC,
  zstdBlockHeader,
  zstdFrameHeader,
} from "../../bytes/zstd-frame.ts";
import { ImageError } from "../../index.ts";
import { ByteReader, type Bytes } from "./byte-reader.ts";
import { OUTPUT_CHUNK, transformed } from "./piped-contents.ts";

/** Of 16 kinds of skippable frames, the first. */
const SKIPPABLE_MAGIC = 0x184d2a50;
/** What zstd itself takes unless it is told `--long`. */
const MAX_WINDOW_BITS = 27;
const MAX_BLOCK = 2 ** 17;

export async function* zstdContents(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(bytes);
  for (;;) {
    const magic = await reader.peek(4);
    if (magic.length === 0) return;
    const word = magic.length === 4 ? Buffer.from(magic).readUInt32LE() : 0;
    if ((word & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      await reader.take(4);
      await reader.skip(Buffer.from(await reader.take(4)).readUInt32LE());
    } else if (word === ZSTD_MAGIC) yield* frameContents(gathered(frameBytes(reader)));
    else throw new ImageError("corrupt", "what follows the last frame is no frame");
  }
}

function frameContents(frame: Bytes): AsyncGenerator<Uint8Array> {
  if (typeof zlib.createZstdDecompress !== "function") return frameContentsWithoutZlib(frame);
  const params = { [zlib.constants.ZSTD_d_windowLogMax]: MAX_WINDOW_BITS };
  return transformed(frame, zlib.createZstdDecompress({ chunkSize: OUTPUT_CHUNK, params }));
}

/** For a Node whose zlib has no zstd. Doesn't look at the frame's checksum; a digest of the download does. */
export async function* frameContentsWithoutZlib(frame: Bytes): AsyncGenerator<Uint8Array> {
  let chunks: Uint8Array[] = [];
  // The decoder goes on to write into what it gave.
  const decoder = new Decompress((chunk) => chunks.push(chunk.slice()));
  for await (const bytes of frame) {
    decoder.push(bytes);
    yield* chunks;
    chunks = [];
  }
}

/** The bytes of the frame that begins at the reader, header to checksum. */
async function* frameBytes(reader: ByteReader): AsyncGenerator<Uint8Array> {
  const { length, needsDictionary, windowSize, contentSize, checksumLength } = zstdFrameHeader(
    await reader.peek(MAX_ZSTD_HEADER),
  );
  if (needsDictionary) throw new ImageError("unsupported", "it needs a dictionary; compress it without one");
  const header = await reader.take(length);
  if ((windowSize ?? contentSize ?? 0) > 2 ** MAX_WINDOW_BITS) {
    throw new ImageError("unsupported", "its window is larger than 128 MiB; compress it without --long");
  }
  yield header;
  for (let isLast = false; !isLast; ) {
    const block = zstdBlockHeader(await reader.peek(ZSTD_BLOCK_HEADER));
    isLast = block.isLast;
    if (block.kind === 3 || block.size > MAX_BLOCK) {
      throw new ImageError("corrupt", "a block has no such kind or size");
    }
    yield await reader.take(block.length);
  }
  if (checksumLength > 0) yield await reader.take(checksumLength);
}

/** The same bytes in larger chunks: each costs the decoder a turn of another thread. */
async function* gathered(bytes: Bytes): AsyncGenerator<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    length += chunk.length;
    if (length < MAX_BLOCK) continue;
    yield Buffer.concat(chunks);
    [chunks, length] = [[], 0];
  }
  if (length > 0) yield Buffer.concat(chunks);
}
