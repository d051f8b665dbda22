/** A set of byte ranges [start, end), kept sorted and merged; touching ranges become one. */
export interface Range {
    readonly start: number;
    readonly end: number;
}
export declare class RangeSet {
    #private;
    static of(...ranges: readonly Range[]): RangeSet;
    /** Adds [start, end); sorted once, at the next question. Empty ranges are passed over. */
    add(start: number, end: number): void;
    addAll(other: RangeSet): void;
    /** True where any byte of [start, end) is in the set. */
    intersects(start: number, end: number): boolean;
    /** True where all of [start, end) is in the set. */
    contains(start: number, end: number): boolean;
    /** The ranges in order. */
    each(): Generator<Range>;
    /** Bytes in the set. */
    get total(): number;
    /** One past the last byte, 0 for the empty set. */
    get end(): number;
    /** The parts of the set within [start, end). */
    clippedTo(start: number, end: number): RangeSet;
    /** The parts of the set within [start, end), in order, found by bisection. */
    within(start: number, end: number): Generator<Range>;
    /** The parts of [start, end) that are not in the set, in order. */
    gapsIn(start: number, end: number): Generator<Range>;
}
