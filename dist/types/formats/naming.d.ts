/** By what names disk images go, and by what marks, those of formats without a driver too. */
import type { Mark } from "../image/mark.ts";
/** What files of a format are called, with the dot; the first is what a converted image gets. */
export declare function extensionsOf(format: string): readonly string[];
/** False of a format that is a disk in one piece, such as raw, where a size of clusters says nothing. */
export declare function hasClusters(format: string): boolean;
/** Every extension that says what an image is, with the dot. */
export declare function imageExtensions(): readonly string[];
/** The marks by which disk images are told, of formats without a driver too; an archive of one is told by its name alone. */
export declare function imageMarks(): readonly Mark[];
