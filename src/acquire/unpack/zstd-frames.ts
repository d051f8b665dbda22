/**
 * Zstandard (RFC 8878) frame by frame: Node's decoder silently stops after the first frame and gives nothing where a
 * skippable one comes first, and both decoders allocate the window that a header asks for.
 */

import * as zlib from "node:zlib";
import { Decompress } from "fzstd";
import { ImageError } from "../../index.ts";
import { ByteReader, type Bytes } from "./byte-reader.ts";
import { OUTPUT_CHUNK, through } from "./piped-contents.ts";

const FRAME_MAGIC = 0xfd2fb528;
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
    } else if (word === FRAME_MAGIC) yield* frameContents(gathered(frameBytes(reader)));
    else throw new ImageError("corrupt", "what follows the last frame is no frame");
  }
}

function frameContents(frame: Bytes): AsyncGenerator<Uint8Array> {
  if (typeof zlib.createZstdDecompress !== "function") return frameContentsWithoutZlib(frame);
  const params = { [zlib.constants.ZSTD_d_windowLogMax]: MAX_WINDOW_BITS };
  return through(frame, zlib.createZstdDecompress({ chunkSize: OUTPUT_CHUNK, params }));
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
  const descriptor = (await reader.peek(5))[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number;
  const dictionaryIdSize = [0, 1, 2, 4][descriptor & 3] as number;
  if (dictionaryIdSize > 0) throw new ImageError("unsupported", "it needs a dictionary; compress it without one");
  const header = Buffer.from(await reader.take(5 + (isSingleSegment ? 0 : 1) + contentSizeSize));
  const window = isSingleSegment ? littleEndian(header.subarray(5)) : windowSize(header.readUInt8(5));
  if (window > 2 ** MAX_WINDOW_BITS) {
    throw new ImageError("unsupported", "its window is larger than 128 MiB; compress it without --long");
  }
  yield header;
  for (let isLast = false; !isLast; ) {
    const block = littleEndian(Buffer.from(await reader.peek(3)));
    isLast = (block & 1) === 1;
    const [kind, size] = [(block >>> 1) & 3, block >>> 3];
    if (kind === 3 || size > MAX_BLOCK) throw new ImageError("corrupt", "a block has no such kind or size");
    const isRun = kind === 1;
    yield await reader.take(3 + (isRun ? 1 : size));
  }
  if ((descriptor & 4) !== 0) yield await reader.take(4);
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

function littleEndian(bytes: Buffer): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
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
