/** Finds where two guest views first differ; ranges that are zeros in both are passed over unread. */
import { type GuestView } from "./guest-view.ts";
export interface CompareViewsOptions {
    /** In bytes of the larger disk. */
    readonly onProgress?: ((done: number, total: number) => void) | undefined;
    /** Ends the comparison with an ImageError of kind `interrupted`. */
    readonly signal?: AbortSignal | undefined;
}
/**
 * The guest offset of the first byte that differs, or null. What one disk has beyond the other's end is compared
 * with zeros.
 */
export declare function firstGuestDifference(a: GuestView, b: GuestView, options?: CompareViewsOptions): Promise<number | null>;
