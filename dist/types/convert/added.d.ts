/** What a switch put into the file, and how to look at the source behind it. */
import type { JournalState } from "../journal/state.ts";
import type { Storage } from "../storage/storage.ts";
/**
 * The file as the source had it: the old sector 0, the old bytes under the extras, the old length: what pointed past the
 * old end still does.
 */
export declare function behindCommit(storage: Storage, { savedHeader, extras, intent }: JournalState): Storage;
/** The file as the target will have it: the commit's sector over it. */
export declare function beyondCommit(storage: Storage, sector: Uint8Array): Storage;
