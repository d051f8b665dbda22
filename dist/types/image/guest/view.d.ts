/**
 * What the guest sees: an image's mapping laid over its backing files' mappings, as one table over the whole disk.
 *
 *   layer 0   AAAA....ZZZZ....        A data, Z zero, . unallocated
 *   layer 1   BBBBBBBB....BB          shorter than the disk: what lies beyond reads as zeros
 *   view      AAAABBBBZZZZBB..
 */
import type { Storage } from "../../storage/storage.ts";
import type { CompressionMethod } from "../compression.ts";
import { type ExtentTable } from "../extent.ts";
import type { Image } from "../source.ts";
/** One image of the chain. Sizes in bytes. */
export interface GuestLayer {
    readonly storage: Storage;
    readonly extents: ExtentTable;
    readonly virtualSize: number;
    readonly clusterSize: number;
    /** Of compressed rows; undefined where there are none. */
    readonly compression: CompressionMethod | undefined;
    /** Of the disk's last stream, where it holds fewer bytes than a cluster. */
    readonly tailLength?: number | undefined;
    /** One compressed extent's stored bytes to one cluster. */
    inflate(stored: Uint8Array): Uint8Array;
}
/** An ExtentTable whose rows say which layer holds them; `unallocated` rows lie in none and read as zeros. */
export interface GuestTable extends ExtentTable {
    /** Index of the layer that `hostOffset` counts in; of unallocated rows the lowest layer that was asked. */
    readonly layer: Uint8Array;
    /** Bytes of the inflated cluster before the row's first; 0 but for compressed rows that a higher layer cuts. */
    readonly clusterSkip: Uint32Array;
}
export interface GuestView {
    /** The image itself first, its backing file next, and so on down. */
    readonly layers: readonly GuestLayer[];
    readonly virtualSize: number;
    readonly table: GuestTable;
}
/** The view of an image and, where given, of its chain of backing files. Walks the tables; throws `corrupt` as they do. */
export declare function openGuestView(chain: readonly [Image, ...Image[]]): Promise<GuestView>;
export declare function guestLayer(image: Image): Promise<GuestLayer>;
/** Lays the first layer over the second, and so on; at most 256 of them. */
export declare function composeGuestView(layers: readonly GuestLayer[]): GuestView;
/** True where the guest reads zeros from the row without a look at any file, and past the last row. */
export declare function readsAsZeros(table: ExtentTable, row: number): boolean;
