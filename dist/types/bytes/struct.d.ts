/**
 * Binary headers declared once, as tables of fields with visible offsets; parsing and encoding both come from the table.
 *
 * A table that has gaps, overlaps or the wrong total does not load.
 */
type Endian = "be" | "le";
/** One field: where it lies in the structure and how its bytes become a value and back. */
export interface Field<T> {
    readonly at: number;
    readonly size: number;
    read(view: DataView, at: number, endian: Endian, name: string): T;
    write(view: DataView, at: number, endian: Endian, value: T): void;
}
/** 64 feature bits as two halves; bit numbers are the specification's. */
export interface Flags64 {
    readonly high: number;
    readonly low: number;
}
export declare const NO_FLAGS: Flags64;
export declare function hasFlag(flags: Flags64, bit: number): boolean;
export declare function flagsOf(...bits: readonly number[]): Flags64;
/** The numbers of the bits that are set, ascending. */
export declare function setBits(flags: Flags64): number[];
export declare function u8(at: number): Field<number>;
export declare function u16(at: number): Field<number>;
export declare function u32(at: number): Field<number>;
/** An unsigned 64-bit number that must be exact in a double: more than 2^53 - 1 is `corrupt`. */
export declare function u64(at: number): Field<number>;
export declare function flags64(at: number): Field<Flags64>;
/** `size` bytes as they are, copied. */
export declare function bytes(at: number, size: number): Field<Uint8Array>;
type ValueOf<F> = F extends Field<infer T> ? T : never;
export type StructValues<F> = {
    readonly [K in keyof F]: ValueOf<F[K]>;
};
export interface Struct<F> {
    readonly name: string;
    /** Where the structure begins, in bytes from the start of what it is part of. */
    readonly at: number;
    readonly size: number;
    readonly fields: F;
    /** Reads the structure that begins `at` bytes into `source`; throws `out-of-bounds` when `source` is too short. */
    parse(source: Uint8Array): StructValues<F>;
    /** Writes the structure `at` bytes into `target`, in place. */
    encode(values: StructValues<F>, target: Uint8Array): void;
}
/**
 * Declares a structure. `place.at` is its own position and field offsets count from the same origin, so that the
 * table reads like the specification's.
 */
export declare function struct<F extends Readonly<Record<string, Field<unknown>>>>(name: string, endian: Endian, place: {
    readonly at: number;
    readonly size: number;
}, fields: F): Struct<F>;
export {};
