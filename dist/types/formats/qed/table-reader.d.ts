/** Bulk reads of tables: pieces of bounded size, several in flight, handed over in order. */
import type { Storage } from "../../storage/storage.ts";
/** The most that one read takes, in bytes. */
export declare const PIECE_SIZE: number;
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
export declare function readPieces<Request extends PieceRequest>(storage: Storage, requests: Iterable<Request>, structure: string): AsyncGenerator<Piece<Request>>;
/** Requests for all of [hostOffset, hostOffset + length). */
export declare function piecesOf(hostOffset: number, length: number): Generator<PieceRequest>;
