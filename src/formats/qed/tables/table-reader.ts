/** Bulk reads of tables: pieces of bounded size, several in flight, handed over in order. */

import { hex, ImageError } from "../../../bytes/image-error.ts";
import { giveScratchBack, takeScratch } from "../../../bytes/scratch.ts";
import type { Storage } from "../../../storage/storage.ts";

/** The most that one read takes, in bytes. */
export const PIECE_SIZE = 512 * 1024;
const READS_IN_FLIGHT = 8;

/** What to read; of a request with `length` 0 only the order matters. */
export interface PieceRequest {
  readonly hostOffset: number;
  /** At most PIECE_SIZE. */
  readonly length: number;
}

export interface Piece<Request> {
  readonly request: Request;
  /** Valid until the next piece is asked for. */
  readonly bytes: Uint8Array;
}

/** Serves `requests` in order. They are taken lazily, a few ahead, so that a request may depend on earlier pieces. */
export async function* readPieces<Request extends PieceRequest>(
  storage: Storage,
  requests: Iterable<Request>,
  structure: string,
): AsyncGenerator<Piece<Request>> {
  const source = requests[Symbol.iterator]();
  const buffers: Uint8Array<ArrayBuffer>[] = [];
  const pending: { readonly request: Request; readonly bytes: Uint8Array; readonly done: Promise<void> }[] = [];
  let taken = 0;
  let exhausted = false;
  const start = (request: Request) => {
    const slot = taken++ % (READS_IN_FLIGHT + 1);
    let buffer = buffers[slot];
    if (buffer === undefined || buffer.length < request.length) {
      if (buffer !== undefined) giveScratchBack(buffer);
      buffer = takeScratch(request.length);
      buffers[slot] = buffer;
    }
    const bytes = buffer.subarray(0, request.length);
    const done = readPiece(storage, request, bytes, structure);
    // The failure is thrown where the piece is awaited; until then it must not count as unhandled.
    done.catch(() => undefined);
    pending.push({ request, bytes, done });
  };
  try {
    for (;;) {
      while (!exhausted && pending.length < READS_IN_FLIGHT) {
        const next = source.next();
        if (next.done) exhausted = true;
        else start(next.value);
      }
      const piece = pending.shift();
      if (piece === undefined) return;
      await piece.done;
      yield piece;
    }
  } finally {
    await Promise.allSettled(pending.map((piece) => piece.done));
    for (const buffer of buffers) giveScratchBack(buffer);
  }
}

async function readPiece(storage: Storage, request: PieceRequest, bytes: Uint8Array, structure: string): Promise<void> {
  if (request.length === 0) return;
  const { hostOffset, length } = request;
  if ((await storage.read(hostOffset, bytes)) < length) {
    throw new ImageError(
      "out-of-bounds",
      `Cannot read ${structure}: ${length} bytes at host offset ${hex(hostOffset)} end outside the file`,
      { format: "qed", path: storage.path, structure, hostOffset, operation: "read" },
    );
  }
}

/** Requests for all of [hostOffset, hostOffset + length). */
export function* piecesOf(hostOffset: number, length: number): Generator<PieceRequest> {
  for (let done = 0; done < length; done += PIECE_SIZE) {
    yield { hostOffset: hostOffset + done, length: Math.min(PIECE_SIZE, length - done) };
  }
}
