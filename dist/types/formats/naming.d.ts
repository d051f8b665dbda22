/** By what names disk images go, and by what marks, those of formats without a driver too. */
import type { Mark } from "../image/mark.ts";
/** What files of a format are called, with the dot; the first is what a converted image gets. */
export declare function extensionsOf(format: string): readonly string[];
/** What the user may call a format: every one's name and its aliases, in the order of messages. */
export declare function formatNames(): readonly string[];
/** False of a format that is a disk in one piece, such as raw, where a size of clusters says nothing. */
export declare function hasClusters(format: string): boolean;
/** The format that `word` names, in whatever case; undefined where it names none. */
export declare function formatNamed(word: string): string | undefined;
/** The format that a file's extension promises, in whatever case; undefined where it promises none. */
export declare function formatPromised(path: string): string | undefined;
/** The name of an image once it has another format: `disk.qed` becomes `disk.qcow2`; a name without an image's extension stays. */
export declare function nameFor(path: string, format: string): string;
/** Every extension that says what an image is, with the dot. */
export declare function imageExtensions(): readonly string[];
/** The marks by which disk images are told, of formats without a driver too; an archive of one is told by its name alone. */
export declare function imageMarks(): readonly Mark[];
