/**
 * Units that lie compressed one behind another in the guest's order, each with what a target writes around it: how a streamed
 * image is laid out, which is read from front to end.
 *
 *   | first bytes | lead-in, stream, end | lead-in, stream, end | ... | tables, end marks |
 *                 ^ start                ^ each at a multiple of the alignment
 */
import type { Storage } from "../storage/storage.ts";
import type { Identity } from "./fresh-id.ts";
import type { Write } from "./write.ts";
export interface PackForm {
    readonly unitSize: number;
    /** Where the first unit's lead-in begins, in bytes of the file. */
    readonly start: number;
    readonly alignment: number;
    /** Bytes before each raw deflate stream, of which `leadIn` says what they are, and behind it: its Adler-32 (RFC 1950). */
    readonly leadInLength: number;
    /** `streamLength`: of the raw deflate stream. */
    leadIn(guestOffset: number, streamLength: number): Uint8Array;
    /** At most so many bytes, from the file's first to its last, where `unitCount` units are stored and none gets shorter. */
    lengthFor(unitCount: number, virtualSize: number): number;
    /** What else the file has once all units lie where they will, each list made durable before the next is asked for. */
    tail(units: PackedUnits, storage: Storage): AsyncIterable<readonly Write[]>;
}
/** In the guest's order. */
export interface PackedUnits {
    readonly virtualSize: number;
    readonly count: number;
    /** Of the unit's first byte, in units. */
    readonly unit: Uint32Array;
    /** Where its lead-in begins. */
    readonly hostOffset: Float64Array;
    /** One past the last unit's last byte, a multiple of the alignment. */
    readonly end: number;
}
/** Of the file that is made, what its bytes may tell. */
export interface PackedFile {
    readonly fileName: string;
    readonly identity?: Identity | undefined;
}
