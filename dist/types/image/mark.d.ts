/** How a file says what it is. */
/** A byte pattern at a fixed place, by which a file says what it is. */
export interface Mark {
    /** Below 0 from the end of file: a fixed VHD bears its only mark there. */
    readonly hostOffset: number;
    /** Latin-1. Of two that fit at the same place the longer one is the truer. */
    readonly bytes: string;
    /** What stands beside it in a file that begins with a mark of the format as well; absent: no file has to. */
    readonly twin?: Omit<Mark, "twin">;
}
