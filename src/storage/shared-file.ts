/** An open file as worker threads can read it too: a descriptor of the process, and what lies over it in memory alone. */

/** Bytes that lie over a file's own; the same shape as a driver's `Write`. */
export interface OverlaidBytes {
  readonly hostOffset: number;
  readonly bytes: Uint8Array;
}

/** Plain values, so that it crosses to another thread. */
export interface SharedFile {
  /** For messages. */
  readonly path: string;
  /** Undefined where nothing lies below the pieces. */
  readonly descriptor: number | undefined;
  /** Ascending, without overlap. */
  readonly pieces: readonly OverlaidBytes[];
  /** The length that the file would have; where undefined, the descriptor's, or the end of the last piece if that lies further. */
  readonly size?: number | undefined;
}

/** Each thread has a copy of its own. */
const MAX_SHARED_BYTES = 2 ** 22;

/** Undefined where a thread could not read what the storage does. */
export function sharedFileOf({
  path,
  descriptor,
  shared,
}: {
  readonly path: string;
  readonly descriptor?: number;
  readonly shared?: SharedFile | undefined;
}): SharedFile | undefined {
  return shared ?? (descriptor === undefined ? undefined : { path, descriptor, pieces: [] });
}

/** The same with `pieces` over it; undefined where they are too much to be handed over. */
export function sharedUnder(
  { path, descriptor }: Pick<SharedFile, "path" | "descriptor">,
  pieces: readonly OverlaidBytes[],
  size?: number,
): SharedFile | undefined {
  if (pieces.reduce((sum, { bytes }) => sum + bytes.length, 0) > MAX_SHARED_BYTES) return undefined;
  // Copies: what crosses to another thread takes all of the memory along that its bytes are a part of.
  const copies = pieces.map(({ hostOffset, bytes }) => ({ hostOffset, bytes: new Uint8Array(bytes) }));
  return { path, descriptor, pieces: copies, size };
}

/** Those that lie in [start, end) at least in part. */
export function* piecesIn(
  pieces: readonly OverlaidBytes[],
  start: number,
  end: number,
): Generator<OverlaidBytes, undefined> {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { hostOffset, bytes } = pieces[middle] as OverlaidBytes;
    if (hostOffset + bytes.length > start) high = middle;
    else low = middle + 1;
  }
  for (let at = low; at < pieces.length; at++) {
    const piece = pieces[at] as OverlaidBytes;
    if (piece.hostOffset >= end) return;
    yield piece;
  }
}

/** Where the last of them ends. */
export function endOfPieces(pieces: readonly OverlaidBytes[]): number {
  const last = pieces.at(-1);
  return last === undefined ? 0 : last.hostOffset + last.bytes.length;
}
