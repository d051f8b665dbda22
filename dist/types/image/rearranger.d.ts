/**
 * Units pointed at anew: a format's part of a rearrangement, which knows what bytes say where a unit lies.
 *
 *   recount, copy | re-point | recount, copy | re-point | ...      each bar a barrier (a sync)
 *
 * After each barrier the file is a whole image with the same guest, at worst with leaks. Which unit goes when (gaps,
 * spares, cycles) is the schedule's, the same for every format (plan/schedule.ts).
 */
import type { Bitmap } from "../bytes/bitmap.ts";
import { RangeSet } from "../bytes/range-set.ts";
import type { HostCopy, Write } from "./write.ts";
/** Pieces on their way, in parallel columns, each row one piece or several that lie one behind the other, in whole units. */
export interface Moves {
    readonly count: number;
    readonly fromHostOffset: Float64Array;
    readonly toHostOffset: Float64Array;
    readonly length: Float64Array;
}
/** Where the file holds something, ascending by host offset: what may go elsewhere, each piece as a whole. */
export interface Pieces {
    readonly count: number;
    readonly hostOffset: Float64Array;
    /** Whole units: one, but where a structure has to lie in one run (a table of several clusters). */
    readonly length: Float64Array;
}
/**
 * A model of who points where, that follows the moves it is told of. It reads the live tables and never writes: what it
 * answers are values. Every sector of a `repoint` is right old and new, as long as old and new place hold the same bytes.
 */
export interface Rearranger {
    /** The size of a place: every piece is made of whole units, which lie at its multiples. */
    readonly unitSize: number;
    /**
     * One bit a place: set where the file holds anything, fixed or movable. One past its last set bit ends what is used. It
     * is the model's own and lives with it: to be read, not marked.
     */
    readonly used: Bitmap;
    /** Host ranges that nothing can be moved to though nothing is there, as where no count can be written; none where absent. */
    readonly barred?: RangeSet;
    /** To be durable, one by one, before anything else is written; nothing where absent. */
    readonly beforehand?: readonly TidyStep[];
    /**
     * Makes what is barred below `endHostOffset` places that something can be moved to, as far as the format can; each step
     * durable before the next, and the model then as if all were performed. It takes places itself. Absent where nothing is barred.
     */
    unbar?(endHostOffset: number): Promise<readonly TidyStep[]>;
    /**
     * What may be moved and begins at `fromHostOffset` or behind it; all else that is used (a header) has to stay. Of the
     * image as it stands after the moves so far.
     */
    pieces(fromHostOffset?: number): Pieces;
    /**
     * Lowers the counts of the places that moves of before have left, to be asked for once their `repoint` is durable and
     * `follow` has been called, and raises those of the places that the next moves lead to; nothing where a format counts
     * none. What it writes where a move leads to is the whole of that piece, which must not be copied (`copiesOf`).
     */
    recount(left: Moves | undefined, coming: Moves | undefined): Promise<readonly Write[]>;
    /**
     * Each pointer to what has moved, those of snapshots too. Throws ImageError `changed-underneath` where a table does not
     * hold the pointer that it held when the model was made.
     */
    repoint(moves: Moves): Promise<readonly Write[]>;
    /** The model as it is once `repoint` is durable: what was left is free. */
    follow(moves: Moves): void;
    /**
     * What has become needless by the moves so far (empty tables, counts of nothing), each epoch as in `Rearrangement`; empty
     * where nothing has. The model is then as if all of it were performed. It frees places and may bar others, so that
     * another round of moves may follow; all that was left has been recounted before.
     */
    tidy(): Promise<readonly TidyStep[]>;
}
/** The copies of an epoch: all that moves but what `recounted` writes by itself where it leads to. */
export declare function copiesOf(moves: Moves, recounted: readonly Write[]): HostCopy[];
/** Writes after which something is used no more; made durable before the next. `repoints` as an epoch's. */
export interface TidyStep {
    readonly purpose: string;
    readonly repoints: boolean;
    readonly writes: readonly Write[];
}
/** The same of pointers to units that read as zeros. */
export interface EmptyStep extends TidyStep {
    /** Of the guest: what is to be looked at once more before. */
    readonly ranges: RangeSet;
}
