/** Where a Zstandard frame ends and how much it may hold, read from its headers alone (RFC 8878, section 3.1.1). */

import { ImageError } from "../../bytes/image-error.ts";

const MAGIC = 0xfd2fb528;
/** RFC 8878 asks decoders for windows of 8 MiB; one cluster is 2 MiB at most. */
const MAX_WINDOW_LOG = 23;

/** Length in bytes of the frame that `stored` begins with; what follows is padding to whole sectors. */
export function zstdFrameLength(stored: Uint8Array, maxContentSize: number): number {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  const need = (end: number) => {
    if (end > stored.length) throw damaged("it is cut short");
  };
  need(5);
  if (view.getUint32(0, true) !== MAGIC) throw damaged("it does not begin with a frame");
  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  const sizeFlag = descriptor >>> 6;
  const dictionarySize = [0, 1, 2, 4][descriptor & 3] as number;
  const contentSizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 2 ** sizeFlag;
  let next = 5;
  if (!isSingleSegment) {
    need(next + 1);
    if (10 + (view.getUint8(next) >>> 3) > MAX_WINDOW_LOG) throw damaged("its window is larger than any cluster needs");
    next++;
  }
  next += dictionarySize;
  need(next + contentSizeBytes);
  if (contentSizeBytes > 0 && contentSize(view, next, contentSizeBytes) > maxContentSize) {
    throw damaged(`it claims more than ${maxContentSize} bytes`);
  }
  next += contentSizeBytes;
  for (let isLast = false; !isLast; ) {
    need(next + 3);
    const header = view.getUint8(next) | (view.getUint8(next + 1) << 8) | (view.getUint8(next + 2) << 16);
    isLast = (header & 1) === 1;
    const isRepeated = ((header >>> 1) & 3) === 1;
    next += 3 + (isRepeated ? 1 : header >>> 3);
    need(next);
  }
  if (hasChecksum) next += 4;
  need(next);
  return next;
}

function contentSize(view: DataView, at: number, size: number): number {
  if (size === 1) return view.getUint8(at);
  if (size === 2) return view.getUint16(at, true) + 256;
  if (size === 4) return view.getUint32(at, true);
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

function damaged(what: string): ImageError {
  return new ImageError("corrupt", `Cannot read a Zstandard frame: ${what}`, { structure: "compressed cluster" });
}
