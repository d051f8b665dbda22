/**
 * The headers of Zstandard's frames and blocks (RFC 8878): where each ends, and what its decoder would allocate at its
 * word. Bytes that are not there count as 0: `length` tells whether all of a header is.
 */

export const ZSTD_MAGIC = 0xfd2fb528;
/** No frame's header is longer, nor shorter. */
export const MAX_ZSTD_HEADER = 18;
export const MIN_ZSTD_HEADER = 6;
export const ZSTD_BLOCK_HEADER = 3;

export interface ZstdFrameHeader {
  /** In bytes, the magic included. */
  readonly length: number;
  readonly needsDictionary: boolean;
  /** In bytes; undefined where the content itself is the window. */
  readonly windowSize: number | undefined;
  /** In bytes; undefined where it is not told. */
  readonly contentSize: number | undefined;
  /** Of what follows the last block. */
  readonly checksumLength: 0 | 4;
}

export function zstdFrameHeader(bytes: Uint8Array): ZstdFrameHeader {
  const descriptor = bytes[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const windowLength = isSingleSegment ? 0 : 1;
  const dictionaryIdLength = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeLength = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number;
  const sizeAt = 5 + windowLength + dictionaryIdLength;
  return {
    length: sizeAt + sizeLength,
    needsDictionary: dictionaryIdLength > 0,
    windowSize: isSingleSegment ? undefined : windowSize(bytes[5] ?? 0),
    // Two bytes go on where one ends.
    contentSize: sizeLength === 0 ? undefined : littleEndian(bytes, sizeAt, sizeLength) + (sizeLength === 2 ? 256 : 0),
    checksumLength: (descriptor & 4) === 0 ? 0 : 4,
  };
}

export interface ZstdBlockHeader {
  /** Of the whole block, its header included. */
  readonly length: number;
  readonly isLast: boolean;
  /** 0 raw, 1 one byte repeated, 2 compressed, 3 none that there is. */
  readonly kind: number;
  /** As the header says it: of a run of one byte what it holds, else what is stored. */
  readonly size: number;
}

export function zstdBlockHeader(bytes: Uint8Array): ZstdBlockHeader {
  const word = littleEndian(bytes, 0, ZSTD_BLOCK_HEADER);
  const [kind, size] = [(word >>> 1) & 3, word >>> 3];
  return { length: ZSTD_BLOCK_HEADER + (kind === 1 ? 1 : size), isLast: (word & 1) === 1, kind, size };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  return bytes.subarray(at, at + length).reduceRight((value, byte) => value * 256 + byte, 0);
}
