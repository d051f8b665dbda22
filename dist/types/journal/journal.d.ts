/** The journal of one conversion: made before the image's first write, removed after its last. */
import { type Volume } from "../storage/storage.ts";
import { type Facts, type Intent, type IntentParts, type JournalState } from "./state.ts";
/** What lies beside an image. `torn`: a journal without a valid first record, which proves that nothing was written. */
export type JournalFound = Journal | "none" | "torn";
export declare class Journal {
    #private;
    /** The file that holds the records; elsewhere than `names.journal` with `--journal`. */
    readonly path: string;
    readonly isUndo: boolean;
    private constructor();
    get state(): JournalState;
    /**
     * Writes the intent and the saved header and makes both durable, the names included. `elsewhere` holds the records
     * at another path. `replacing` takes the place of an older journal in one rename. What fails leaves no new file.
     */
    static create(volume: Volume, imagePath: string, intent: Intent, parts: IntentParts, place: {
        readonly elsewhere?: string | undefined;
        readonly replacing?: Journal | undefined;
    }): Promise<Journal>;
    /** Opens the journal beside the image, or the undo where there is no journal. */
    static find(volume: Volume, imagePath: string): Promise<JournalFound>;
    /** Appends one record and makes it durable. */
    append(facts: Facts, blob?: Uint8Array): Promise<void>;
    /** Removes the journal and makes that durable: the conversion is over. */
    remove(): Promise<void>;
    /** Keeps the way back as `<image>.inplace-undo`. */
    keepAsUndo(): Promise<void>;
    /** Lets go of the file; the journal stands. */
    close(): Promise<void>;
}
/** Removes what a cut left of a journal that never became valid. */
export declare function clearTornJournal(volume: Volume, imagePath: string): Promise<void>;
