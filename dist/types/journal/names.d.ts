/** The files beside an image that a conversion makes, by the names the contract fixes. */
export interface JournalNames {
    readonly journal: string;
    readonly undo: string;
    readonly lock: string;
}
export declare function journalNamesOf(imagePath: string): JournalNames;
/** A journal being written that shall replace the older one at `journalPath` by a rename: in the same folder. */
export declare function draftOf(journalPath: string): string;
