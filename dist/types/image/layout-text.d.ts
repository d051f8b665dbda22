/** The file before and after in one line of characters each, where no pictures can be drawn. */
import type { FileLayout } from "./file-layout.ts";
export declare const PICTURE_LEGEND = "H header  \u2588 data  \u2584 compressed  \u2592 tables  \u00B7 free";
/** @param longest the size in bytes that takes all of `across` columns */
export declare function pictureLine(layout: FileLayout, longest: number, across?: number): string;
/** `before  4 GiB`, a line break, `H▒████··`, and the same of what came after; `now` alone where nothing did. */
export declare function pictureText({ before, after, }: {
    readonly before: FileLayout;
    readonly after: FileLayout | null;
}): string;
