/** The files beside an image that a conversion or repair makes, by the names the contract fixes. */

export interface JournalNames {
  readonly journal: string;
  readonly undo: string;
  readonly lock: string;
}

export function journalNamesOf(imagePath: string): JournalNames {
  return {
    journal: `${imagePath}.inplace-journal`,
    undo: `${imagePath}.inplace-undo`,
    lock: `${imagePath}.inplace-lock`,
  };
}

/** A journal being written that shall replace the older one at `journalPath` by a rename: in the same folder. */
export function draftOf(journalPath: string): string {
  return `${journalPath}-new`;
}
