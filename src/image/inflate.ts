/** One compressed cluster to its plain bytes: raw deflate (RFC 1951) or one zstd frame (RFC 8878); input and output bounded. */

import * as zlib from "node:zlib";
import { Decompress } from "fzstd";
import { ImageError } from "../bytes/image-error.ts";

export type CompressionMethod = "zlib" | "zstd";

/** Largest zstd window, in bytes, that a frame may ask for; RFC 8878 tells decoders to take at least this much. */
const MAX_ZSTD_WINDOW_BITS = 23;

/**
 * Gives the `clusterSize` bytes that `stored` holds. `stored` may go on past the end of the stream: formats count it
 * in sectors. Throws ImageError `corrupt` when the stream is damaged or is not exactly one cluster.
 */
export function inflateCluster(method: CompressionMethod, stored: Uint8Array, clusterSize: number): Uint8Array {
  let plain: Uint8Array;
  try {
    plain = method === "zlib" ? inflateRaw(stored, clusterSize) : inflateZstd(stored, clusterSize);
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    throw notOneCluster(method, `${(cause as Error).message}`, cause);
  }
  if (plain.length !== clusterSize) throw notOneCluster(method, `it holds ${plain.length} bytes, not ${clusterSize}`);
  return plain;
}

function inflateRaw(stored: Uint8Array, clusterSize: number): Uint8Array {
  return zlib.inflateRawSync(stored, {
    maxOutputLength: clusterSize,
    chunkSize: clusterSize,
    // A stream whose end mark is cut off still counts if every guest byte is there; the caller compares the length.
    finishFlush: zlib.constants.Z_SYNC_FLUSH,
  });
}

function inflateZstd(stored: Uint8Array, clusterSize: number): Uint8Array {
  const frame = stored.subarray(0, zstdFrameLength(stored));
  if (typeof zlib.zstdDecompressSync === "function") {
    return zlib.zstdDecompressSync(frame, {
      maxOutputLength: clusterSize,
      chunkSize: clusterSize,
      params: { [zlib.constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_BITS },
    });
  }
  return inflateZstdWithoutZlib(frame, clusterSize);
}

/** For a Node whose zlib has no zstd. */
export function inflateZstdWithoutZlib(frame: Uint8Array, clusterSize: number): Uint8Array {
  const plain = new Uint8Array(clusterSize);
  let length = 0;
  const decoder = new Decompress((chunk) => {
    if (length + chunk.length > clusterSize) throw notOneCluster("zstd", `it holds more than ${clusterSize} bytes`);
    plain.set(chunk, length);
    length += chunk.length;
  });
  decoder.push(frame, true);
  return plain.subarray(0, length);
}

/** Where the frame at the start of `stored` ends; decoders take what follows for another frame. */
function zstdFrameLength(stored: Uint8Array): number {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  if (stored.length < 6 || view.getUint32(0, true) !== 0xfd2fb528) throw notOneCluster("zstd", "no frame begins there");
  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryIdSize = [0, 1, 2, 4][descriptor & 3] as number;
  const contentSizeSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number;
  const checksumSize = (descriptor & 4) === 0 ? 0 : 4;
  // Decoders allocate the window at the header's word alone.
  if (!isSingleSegment && view.getUint8(5) >>> 3 > MAX_ZSTD_WINDOW_BITS - 10) {
    throw notOneCluster("zstd", "its window is larger than 8 MiB");
  }
  let end = 5 + (isSingleSegment ? 0 : 1) + dictionaryIdSize + contentSizeSize;
  for (let isLast = false; !isLast; ) {
    if (end + 3 > stored.length) throw notOneCluster("zstd", "it is cut off");
    const header = view.getUint8(end) | (view.getUint8(end + 1) << 8) | (view.getUint8(end + 2) << 16);
    isLast = (header & 1) === 1;
    const isRun = ((header >>> 1) & 3) === 1;
    end += 3 + (isRun ? 1 : header >>> 3);
  }
  end += checksumSize;
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
