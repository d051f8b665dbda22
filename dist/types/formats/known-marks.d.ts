/**
 * Marks by which a file says what it is, though no driver of ours opens it: disk images of other formats, what images
 * are packed in, and what a download left in an image's place. Offsets and bytes are those of each format's own
 * specification.
 */
import type { TextMark } from "./file-ends.ts";
/** What to do about such a file; tried with real files where the tool is at hand (test/oracle/known-formats.test.ts). */
export type MarkAdvice = "qemu-img" | "medium" | "unpack" | "archive" | "encrypted" | "download" | "pointer";
export interface KnownMark extends TextMark {
    /** As it goes on after "it is". */
    readonly name: string;
    readonly advice: MarkAdvice;
    /** qemu-img's name of a format, or the program that unpacks. */
    readonly tool?: string;
    /** Another format's header at byte 0 leaves room for it, so that one file could be two things: how it is called then. */
    readonly rival?: string;
}
/** In the order in which they are told: what lies at the end of a file counts only where nothing lies at its start. */
export declare const knownMarks: readonly KnownMark[];
