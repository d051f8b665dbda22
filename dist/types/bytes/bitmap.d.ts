/** One bit a place of a file (a cluster, a unit), to see what is used, used twice, or by nobody. */
/** As many bits as any bitmap has: 512 MiB. A sparse file can claim any length, so callers look before they make one. */
export declare const MAX_BITS: number;
export declare class Bitmap {
    #private;
    /** Memory is `bitCount` / 8 bytes, taken from the host only where bits are set. */
    constructor(bitCount: number);
    /** How many places are marked. */
    get markedCount(): number;
    has(place: number): boolean;
    /** Marks `count` places from `first`; returns how many of them were marked already. */
    mark(first: number, count: number): number;
    /** Takes the marks of `count` places from `first` away; returns how many of them were marked. */
    clear(first: number, count: number): number;
    /** The first marked place in [from, end), or `end`. */
    nextMarked(from: number, end: number): number;
    /** The first place in [from, end) that is not marked, or `end`. */
    nextFree(from: number, end: number): number;
    /** One past the last marked place; 0 when there is none. */
    get markedEnd(): number;
    /** The same of the places below `end`. */
    markedEndBelow(end: number): number;
}
