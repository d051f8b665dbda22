/** The way back over a switch: proves that the image is where the plan left it, then restores it byte for byte. */
import type { Journal } from "../journal/journal.ts";
import type { JournalState } from "../journal/state.ts";
import { type Storage, type WritableStorage } from "../storage/storage.ts";
/** Where the commit stands: sector 0 is the source's, the target's, or neither (someone rewrote it since). */
export type CommitState = "before" | "after" | "rewritten";
export declare function commitStateOf(storage: Storage, { savedHeader, sector }: JournalState): Promise<CommitState>;
/** Says what was written to the image since by someone else; `undefined` when nothing was, as far as metadata shows. */
export declare function foreignWrite(storage: Storage, state: JournalState): Promise<string | undefined>;
/** True where every metadata byte of the source is as it was inspected. */
export declare function sourceIsUntouched(storage: Storage, state: JournalState): Promise<boolean>;
/**
 * Puts the source back: its sector 0 first, so that each state is a whole image; then the unused header bytes and
 * the length. The caller has proven that nobody else wrote to the image.
 */
export declare function restoreSource(storage: WritableStorage, journal: Journal): Promise<void>;
/**
 * Rewrites the block around the commit from the journal where it can't be read any more, or where its write stopped
 * in the middle. Which header belongs there is told by the rest of the file: whoever booted the image since wrote
 * through one of the two, and would lose that under the other. Throws `changed-underneath` where both are in doubt.
 */
export declare function mendHeader(storage: WritableStorage, state: JournalState, toward: "source" | "target"): Promise<void>;
