/** Compressed clusters to plain ones: raw deflate or Zstandard, bounded on both sides (docs/interop/qcow2.txt, "Compressed Clusters"). */

// A namespace import, since older Node has no zstd and a named one would not load there.
import * as zlib from "node:zlib";
import { Decompress } from "fzstd";
import { ImageError } from "../../bytes/image-error.ts";
import { zstdFrameLength } from "./zstd-frame.ts";

/**
 * Inflates what begins `stored`; what lies behind the stream's end is padding or a neighbour.
 *
 * @throws ImageError `corrupt` unless the stream ends within `stored` and gives exactly one cluster.
 */
export function inflateCluster(stored: Uint8Array, method: "zlib" | "zstd", clusterSize: number): Uint8Array {
  const cluster = method === "zlib" ? inflateRaw(stored, clusterSize) : inflateZstd(stored, clusterSize);
  if (cluster.length !== clusterSize)
    throw wrongCluster(`it gives ${cluster.length} bytes, a cluster has ${clusterSize}`);
  return cluster;
}

function inflateRaw(stored: Uint8Array, clusterSize: number): Uint8Array {
  try {
    return zlib.inflateRawSync(stored, { maxOutputLength: clusterSize });
  } catch (cause) {
    throw wrongCluster(reasonOf(cause, clusterSize), cause);
  }
}

/** One cluster is one frame, but the format does not forbid several. */
function inflateZstd(stored: Uint8Array, clusterSize: number): Uint8Array {
  const cluster = new Uint8Array(clusterSize);
  let filled = 0;
  let next = 0;
  while (filled < clusterSize) {
    const frameLength = zstdFrameLength(stored.subarray(next), clusterSize - filled);
    const content = inflateFrame(stored.subarray(next, next + frameLength), clusterSize - filled);
    // An empty frame gives nothing and would be followed by any number of others.
    if (content.length === 0) throw wrongCluster(`it gives ${filled} bytes, a cluster has ${clusterSize}`);
    cluster.set(content, filled);
    filled += content.length;
    next += frameLength;
  }
  return cluster;
}

function inflateFrame(frame: Uint8Array, maxLength: number): Uint8Array {
  try {
    return zlib.zstdDecompressSync === undefined
      ? inflateFrameInScript(frame, maxLength)
      : zlib.zstdDecompressSync(frame, { maxOutputLength: maxLength });
  } catch (cause) {
    throw wrongCluster(reasonOf(cause, maxLength), cause);
  }
}

/** For Node without zstd. Blocks are handed over one by one, so that too long a content is noticed early. */
export function inflateFrameInScript(frame: Uint8Array, maxLength: number): Uint8Array {
  const content = new Uint8Array(maxLength);
  let filled = 0;
  const decompressor = new Decompress((block) => {
    if (filled + block.length > maxLength) throw new RangeError(`it gives more than ${maxLength} bytes`);
    content.set(block, filled);
    filled += block.length;
  });
  decompressor.push(frame, true);
  return content.subarray(0, filled);
}

function reasonOf(cause: unknown, maxLength: number): string {
  const { code, message } = cause as { code?: string; message?: string };
  return code === "ERR_BUFFER_TOO_LARGE" ? `it gives more than ${maxLength} bytes` : String(message);
}

function wrongCluster(what: string, cause?: unknown): ImageError {
  return new ImageError("corrupt", `Cannot inflate a compressed cluster: ${what}`, {
    format: "qcow2",
    structure: "compressed cluster",
    cause,
  });
}
