/** `-o`: what a target format lets the user choose. */
/** One option of a target, as `-o help` lists it. */
export interface TargetOption {
    readonly name: string;
    readonly kind: "size" | "number" | "boolean" | "choice" | "bytes" | "text" | "path";
    readonly choices?: readonly string[];
    /** Of a path: the internal option, of bytes, that the file's content is given as; it is read before anything else is done. */
    readonly readInto?: string;
    /** Of what leads back to an image as it was, for the journal alone: no help lists it. */
    readonly isInternal?: true;
    /** Says what becomes of the disk, not how it is laid out: whether it is so already is asked of the disk itself. */
    readonly isOfDisk?: true;
    /** A value that images are found with and none is made with: what leads back to such an image does without it. */
    readonly neverMade?: string | boolean;
    readonly help: string;
}
/** Of values that make a layout those that a target can be made with. */
export declare function makeable(options: readonly TargetOption[], values: TargetOptionValues): TargetOptionValues;
/** Values of `-o`, parsed by kind: sizes and numbers as numbers, on/off as booleans, all others as text, bytes in hex. */
export type TargetOptionValues = Readonly<Record<string, string | number | boolean>>;
/** Throws UsageError for a text that is no value of the option's kind. */
export declare function parseOptionValue(option: TargetOption, text: string): string | number | boolean;
