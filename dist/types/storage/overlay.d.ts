/** A file as it would be after a few writes that exist in memory only: how a target is verified before it is on disk. */
import type { Storage } from "./storage.ts";
/** Bytes that lie over the file's own; the same shape as a driver's `Write`. */
export interface OverlaidBytes {
    readonly hostOffset: number;
    readonly bytes: Uint8Array;
}
export interface OverlayOptions {
    /** Length of the file as it would be; by default the base's, or the end of the last write if that lies further. */
    readonly size?: number;
    /**
     * The caller's word that nothing below this host offset is guest data of the image to be opened (its header
     * cluster). With it, and without `size`, the base's descriptor passes through, so that hash workers can read guest
     * data past the overlay: every overlaid byte must lie below, or the constructor throws.
     */
    readonly overlaidBelow?: number;
}
export declare class OverlayStorage implements Storage {
    #private;
    readonly path: string;
    readonly descriptor?: number;
    /** Where writes overlap, the later one wins. `overlaid` is not copied. */
    constructor(base: Storage, overlaid: readonly OverlaidBytes[], options?: OverlayOptions);
    size(): Promise<number>;
    read(hostOffset: number, into: Uint8Array): Promise<number>;
    /** Does nothing: the base belongs to whoever opened it. */
    close(): Promise<void>;
}
