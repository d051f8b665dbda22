/**
 * A small QED image with known contents, written byte by byte; section "Specification" of QEMU's qed_spec.txt.
 *
 *   host    cluster 0   clusters 1..4   5..8       9..
 *           header      L1 table        L2 table   data, in an order unlike the guest's
 */
import type { WritableStorage } from "../storage/storage.ts";
export interface DemoImage {
    readonly virtualSize: number;
    /** Bytes of guest data in the file. */
    readonly dataBytes: number;
    readonly fileSize: number;
}
/**
 * Makes the image at `path`, which must not exist.
 *
 * @throws UsageError when the name is taken, ImageError of kind `io` or `no-space`
 */
export declare function makeDemoImage(path: string): Promise<DemoImage>;
/** The bytes of guest cluster `index`, for those that hold data. */
export declare function demoCluster(index: number): Uint8Array<ArrayBuffer>;
export declare function writeDemoImage(storage: WritableStorage): Promise<DemoImage>;
