/** Arithmetic on addresses and sizes: plain numbers, exact up to 2^53 - 1, so no bitwise operators. */
export declare const SECTOR_SIZE = 512;
export declare const KiB = 1024;
export declare const MiB: number;
export declare const GiB: number;
export declare const TiB: number;
export declare function alignUp(value: number, alignment: number): number;
export declare function alignDown(value: number, alignment: number): number;
export declare function isAligned(value: number, alignment: number): boolean;
export declare function ceilDiv(value: number, divisor: number): number;
export declare function isPowerOfTwo(value: number): boolean;
