/** The one error that every layer throws: what is wrong, where in which image, and what to do. */
export type ImageErrorKind = "io" | "not-this-format" | "unsupported" | "corrupt" | "out-of-bounds" | "no-space" | "in-use" | "changed-underneath" | "verification-failed" | "interrupted";
export interface ImageErrorDetails {
    /** Format name as qemu-img spells it, e.g. `qcow2`. */
    readonly format?: string | undefined;
    /** The image's path as the user named it. */
    readonly path?: string | undefined;
    /** The structure in the specification's words, e.g. `L2 table 3`. */
    readonly structure?: string | undefined;
    /** Byte address in the file. */
    readonly hostOffset?: number | undefined;
    /** Byte address in the guest's disk. */
    readonly guestOffset?: number | undefined;
    /** What was being done, e.g. `read`, `sync`, `commit`. */
    readonly operation?: string | undefined;
    /** All reasons of a refusal, one sentence each; `message` is then their summary. */
    readonly reasons?: readonly string[] | undefined;
    /** The journal that stands: the image is neither finished nor put back, and resume or rollback goes on. */
    readonly journal?: string | undefined;
    /** True where something had been written and the image was put back as it was. */
    readonly rolledBack?: boolean | undefined;
    readonly cause?: unknown;
}
/**
 * An image or its storage does not allow what was asked.
 *
 * Messages are active and name the thing, the place and the remedy, without a full stop:
 * "Cannot map L2 table 3: host offset 0x1f0000 lies outside the file".
 */
export declare class ImageError extends Error {
    readonly kind: ImageErrorKind;
    readonly format: string | undefined;
    readonly path: string | undefined;
    readonly structure: string | undefined;
    readonly hostOffset: number | undefined;
    readonly guestOffset: number | undefined;
    readonly operation: string | undefined;
    readonly reasons: readonly string[];
    readonly journal: string | undefined;
    readonly rolledBack: boolean;
    constructor(kind: ImageErrorKind, message: string, details?: ImageErrorDetails);
}
/** The caller asked for something that does not exist or contradicts itself (exit code 2). */
export declare class UsageError extends Error {
    readonly name = "UsageError";
}
/** `0x1f0000`, as qemu-img writes addresses. */
export declare function hex(address: number): string;
