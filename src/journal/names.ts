/** The files beside an image that a conversion makes, by the names the contract fixes. */

export interface JournalNames {
  readonly journal: string;
  /** A journal being written that shall replace an older one by a rename. */
  readonly journalDraft: string;
  readonly undo: string;
  readonly lock: string;
}

export function journalNamesOf(imagePath: string): JournalNames {
  return {
    journal: `${imagePath}.inplace-journal`,
    journalDraft: `${imagePath}.inplace-journal-new`,
    undo: `${imagePath}.inplace-undo`,
    lock: `${imagePath}.inplace-lock`,
  };
}
