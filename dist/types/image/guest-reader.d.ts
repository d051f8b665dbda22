/** Reads any range of the guest's disk through a view: data from its layer, compressed clusters inflated, the rest zeros. */
import type { GuestView } from "./guest-view.ts";
export declare class GuestReader {
    #private;
    readonly view: GuestView;
    constructor(view: GuestView);
    /**
     * Fills `into` with the guest's bytes from `guestOffset`. Zeros: what no layer holds, what lies past the end of
     * the disk, and what lies past the end of a layer's file (a file may end inside its last cluster).
     * Throws ImageError `io`, or `corrupt` for a cluster that does not inflate.
     */
    read(guestOffset: number, into: Uint8Array): Promise<void>;
}
/** Says where the cluster lies that could not be inflated. */
export declare function uninflatable(cause: unknown, path: string, hostOffset: number): unknown;
