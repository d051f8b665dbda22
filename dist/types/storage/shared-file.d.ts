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
/** Undefined where a thread could not read what the storage does. */
export declare function sharedFileOf({ path, descriptor, shared, }: {
    readonly path: string;
    readonly descriptor?: number;
    readonly shared?: SharedFile | undefined;
}): SharedFile | undefined;
/** The same with `pieces` over it; undefined where they are too much to be handed over. */
export declare function sharedUnder({ path, descriptor }: Pick<SharedFile, "path" | "descriptor">, pieces: readonly OverlaidBytes[], size?: number): SharedFile | undefined;
/** Those that lie in [start, end) at least in part. */
export declare function piecesIn(pieces: readonly OverlaidBytes[], start: number, end: number): Generator<OverlaidBytes, undefined>;
/** Where the last of them ends. */
export declare function endOfPieces(pieces: readonly OverlaidBytes[]): number;
