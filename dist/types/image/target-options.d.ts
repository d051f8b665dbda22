/** `-o`: what a target format lets the user choose. */
/** One option of a target, as `-o help` lists it. */
export interface TargetOption {
    readonly name: string;
    readonly kind: "size" | "number" | "boolean" | "choice";
    readonly choices?: readonly string[];
    readonly help: string;
    /** Not for people: what a way back needs to make the very file again. */
    readonly isHidden?: true;
}
/** Values of `-o`, parsed by kind: sizes and numbers as numbers, on/off as booleans, choices as text. */
export type TargetOptionValues = Readonly<Record<string, string | number | boolean>>;
