/** One compressed cluster to its plain bytes: raw deflate (RFC 1951) or zstd frames (RFC 8878); input and output bounded. */

import { Decompress } from "fzstd";
import { ImageError } from "../../bytes/image-error.ts";
import {
  MIN_ZSTD_HEADER,
  ZSTD_BLOCK_HEADER,
  ZSTD_MAGIC,
  zstdBlockHeader,
  zstdFrameHeader,
} from "../../bytes/zstd-frame.ts";
import { zlib } from "../../storage/built-ins.ts";
import type { CompressionMethod } from "../compression.ts";

/** Largest zstd window that a frame may ask for: the 8 MiB that RFC 8878 asks of decoders; a cluster has 2 MiB at most. */
const MAX_ZSTD_WINDOW_BITS = 23;

/**
 * Gives the `clusterSize` bytes that `stored` holds. `stored` may go on past the end of the stream: formats count it
 * in sectors. Throws ImageError `corrupt` when the stream is damaged or is not exactly one cluster; one of `tailLength` bytes is
 * the disk's last, and the rest reads as zeros.
 */
export function inflateCluster(
  method: CompressionMethod | undefined,
  stored: Uint8Array,
  clusterSize: number,
  tailLength = clusterSize,
): Uint8Array {
  if (method === undefined) throw new TypeError("a mapping has compressed rows, but no method is told");
  let plain: Uint8Array;
  try {
    plain = method === "zlib" ? inflateRaw(stored, clusterSize) : inflateZstd(stored, clusterSize);
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    const { code, message } = cause as { code?: string; message?: string };
    const isLonger = code === "ERR_BUFFER_TOO_LARGE";
    throw notOneCluster(method, isLonger ? `it holds more than ${clusterSize} bytes` : String(message), cause);
  }
  if (plain.length === tailLength && tailLength < clusterSize) {
    const cluster = new Uint8Array(clusterSize);
    cluster.set(plain);
    return cluster;
  }
  if (plain.length !== clusterSize)
    throw notOneCluster(method, `it holds ${plain.length} bytes, a cluster has ${clusterSize}`);
  return plain;
}

function inflateRaw(stored: Uint8Array, clusterSize: number): Uint8Array {
  return zlib().inflateRawSync(stored, { maxOutputLength: clusterSize, chunkSize: clusterSize });
}

/** One cluster is one frame, but formats do not forbid several. */
function inflateZstd(stored: Uint8Array, clusterSize: number): Uint8Array {
  const plain = new Uint8Array(clusterSize);
  let filled = 0;
  for (let next = 0; filled < clusterSize; ) {
    const end = next + zstdFrameLength(stored.subarray(next), clusterSize - filled);
    const content = inflateFrame(stored.subarray(next, end), clusterSize - filled);
    // Empty frames could go on for as long as the input does, to no end.
    if (content.length === 0) break;
    plain.set(content, filled);
    filled += content.length;
    next = end;
  }
  return plain.subarray(0, filled);
}

function inflateFrame(frame: Uint8Array, maxLength: number): Uint8Array {
  if (typeof zlib().zstdDecompressSync !== "function") return inflateFrameWithoutZlib(frame, maxLength);
  return zlib().zstdDecompressSync(frame, {
    maxOutputLength: maxLength,
    chunkSize: Math.max(maxLength, 64),
    params: { [zlib().constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_BITS },
  });
}

/** For a Node whose zlib has no zstd. */
export function inflateFrameWithoutZlib(frame: Uint8Array, maxLength: number): Uint8Array {
  const plain = new Uint8Array(maxLength);
  let length = 0;
  const decoder = new Decompress((chunk) => {
    if (length + chunk.length > maxLength) throw notOneCluster("zstd", `it holds more than ${maxLength} bytes`);
    plain.set(chunk, length);
    length += chunk.length;
  });
  decoder.push(frame, true);
  return plain.subarray(0, length);
}

/** Where the frame at the start of `stored` ends; decoders take what follows for another frame. */
function zstdFrameLength(stored: Uint8Array, maxContentSize: number): number {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  if (stored.length < MIN_ZSTD_HEADER || view.getUint32(0, true) !== ZSTD_MAGIC) {
    throw notOneCluster("zstd", "no frame begins there");
  }
  const { length, windowSize = 0, contentSize = 0, checksumLength } = zstdFrameHeader(stored);
  // Decoders allocate the window, or the content of a single segment, at the header's word alone.
  if (windowSize >= 2 ** (MAX_ZSTD_WINDOW_BITS + 1)) throw notOneCluster("zstd", "its window is larger than 8 MiB");
  if (length > stored.length) throw notOneCluster("zstd", "it is cut off");
  if (contentSize > maxContentSize) {
    throw notOneCluster("zstd", `it says that it holds more than ${maxContentSize} bytes`);
  }
  let end = length;
  for (let isLast = false; !isLast; ) {
    if (end + ZSTD_BLOCK_HEADER > stored.length) throw notOneCluster("zstd", "it is cut off");
    const block = zstdBlockHeader(stored.subarray(end));
    isLast = block.isLast;
    end += block.length;
  }
  end += checksumLength;
  if (end > stored.length) throw notOneCluster("zstd", "it is cut off");
  return end;
}

function notOneCluster(method: CompressionMethod, what: string, cause?: unknown): ImageError {
  return new ImageError("corrupt", `Cannot inflate the ${method} cluster: ${what}`, {
    structure: "compressed cluster",
    operation: "inflate",
    cause,
  });
}
