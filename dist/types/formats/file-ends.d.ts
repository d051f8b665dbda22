/** The first and the last bytes of a file, read once: which marks it bears. */
import type { Mark } from "../image/driver.ts";
import type { Storage } from "../storage/storage.ts";
/** A mark that may be written in capitals or not, with space before it. */
export type TextMark = Mark & {
    readonly isText?: true;
};
export declare class FileEnds {
    #private;
    private constructor();
    /** Enough to tell a format of ours. */
    static of(storage: Storage): Promise<FileEnds>;
    /** Enough to tell whatever we know, where it is no format of ours. */
    static further(storage: Storage): Promise<FileEnds>;
    bears({ hostOffset, bytes, isText }: TextMark): boolean;
}
