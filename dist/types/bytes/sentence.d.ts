/**
 * A sentence as a value: text, and in it references to what every face calls otherwise (an option, a command of ours) or
 * what others ask for (the image, the place). Rendered by a vocabulary; nobody has to read what was written.
 */
/** An option that a user can give, by the command line's long name without dashes. */
export interface OptionReference {
    readonly ref: "option";
    readonly name: string;
    readonly value?: string | undefined;
}
/** A command of ours, with the image that it is to be given. */
export interface CommandReference {
    readonly ref: "command";
    readonly command: "check" | "resume" | "rollback";
    /** What stands before the image, each a word of its own. */
    readonly options: readonly string[];
    readonly path: string;
}
/** What each face calls otherwise, or asks for. */
export type SentenceReference = OptionReference | CommandReference
/** An option by the library's own name, e.g. `maxExtraSpace`. */
 | {
    readonly ref: "key";
    readonly name: string;
} | {
    readonly ref: "image";
    readonly path: string;
}
/** Room for the image's name in a sentence of who knows none. */
 | {
    readonly ref: "unnamed";
} | {
    readonly ref: "place";
    readonly hostOffset: number;
}
/** Several things to do, each enough by itself. */
 | {
    readonly ref: "either";
    readonly ways: readonly Sentence[];
};
export type SentencePart = string | SentenceReference;
/** What may stand where a sentence is wanted. */
export type Words = string | Sentence;
/** How one face calls things. */
export interface Vocabulary {
    /** Undefined where the face has no such option: a remedy that needs it is not said. */
    option(reference: OptionReference): string | undefined;
    command(reference: CommandReference): string;
    key(name: string): string;
}
export declare class Sentence {
    #private;
    readonly parts: readonly SentencePart[];
    constructor(parts: readonly SentencePart[]);
    /** In the words of the command line, which are everybody's who has no vocabulary. */
    toString(): string;
    in(vocabulary: Vocabulary): string;
    /** Whether it names the image, or the place, by a reference of its own. */
    namesImage(path: string): boolean;
    namesPlace(hostOffset: number): boolean;
    /** With the image's name where room was left for it; undefined where there was none. */
    withImage(path: string): Sentence | undefined;
    /** The same with parts of it in place of others. */
    mapped(change: (part: SentencePart) => SentencePart): Sentence;
    /** Whether the face has all that it names. */
    isSayable(vocabulary: Vocabulary): boolean;
}
/** say`delete them or use ${option("drop", "snapshots")}` */
export declare function say(texts: TemplateStringsArray, ...values: readonly (Words | number)[]): Sentence;
/** Text as a sentence; a sentence as itself. */
export declare function sentenceOf(words: Words): Sentence;
/** As `Array.join` does for texts. */
export declare function joined(all: readonly Words[], between: string): Sentence;
/** `--drop snapshots`, `-f raw`; in the action `drop: snapshots`, `source-format: raw`. */
export declare function option(name: string, value?: string): Sentence;
/** `inplace-convert check -r all 'my disk.qcow2'`, to be pasted into a shell. */
export declare function command(name: CommandReference["command"], path: string, ...options: readonly string[]): Sentence;
/** The library's own name of an option. */
export declare function key(name: string): Sentence;
/** The image, by its path. */
export declare function imageNamed(path: string): Sentence;
/** Before what the image is, e.g. `qcow2 to qed`: nothing, or `disk.img from ` once somebody knows its name. */
export declare const UNNAMED: Sentence;
/** The place that an error is about, as qemu-img writes addresses. */
export declare function placeAt(hostOffset: number): Sentence;
/** Joined by "or"; a face leaves out what it has no option for, unless nothing would be left. */
export declare function either(ways: readonly Words[]): Sentence;
/** The command as it can be pasted, for a program that is called so. */
export declare function commandText({ command: name, options, path }: CommandReference, program: string): string;
/** The command line's words; `program` is how its user calls it. */
export declare function commandLine(program: string): Vocabulary;
export declare const COMMAND_LINE: Vocabulary;
