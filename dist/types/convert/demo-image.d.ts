/**
 * A small raw disk with known contents: data where a guest would have it, holes everywhere else.
 *
 *   |data......|  |data|       |d| |d| |d| |d|   |data|         |d|
 */
import type { WritableStorage } from "../storage/storage.ts";
export interface DemoImage {
    readonly virtualSize: number;
    /** Bytes of guest data in the file. */
    readonly dataBytes: number;
    readonly fileSize: number;
}
/**
 * Makes the disk at `path`, which must not exist.
 *
 * @throws UsageError when the name is taken, ImageError of kind `io` or `no-space`
 */
export declare function makeDemoImage(path: string): Promise<DemoImage>;
/** The bytes of guest cluster `index`, for those that hold data. */
export declare function demoCluster(index: number): Uint8Array;
/** Which guest clusters hold data. */
export declare function demoClusters(): readonly number[];
export declare function writeDemoImage(storage: WritableStorage): Promise<DemoImage>;
