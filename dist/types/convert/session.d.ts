/** One writing command at work on one image: its lock, its only descriptor, its watch for other writers. */
import { MeteredVolume } from "../storage/metered.ts";
import type { WritableStorage } from "../storage/storage.ts";
import type { Host } from "./host.ts";
export type Verb = "convert" | "repair" | "work on";
export declare class Session {
    #private;
    readonly path: string;
    readonly volume: MeteredVolume;
    readonly storage: WritableStorage;
    readonly host: Host;
    /** What could not be looked at on this machine. */
    readonly notes: Set<string>;
    /** What the command does, for messages. */
    readonly verb: Verb;
    private constructor();
    /** Takes the lock, opens the image and looks for others. Throws `in-use`, `unsupported` or `io`; nothing is left behind. */
    static open(path: string, host: Host, verb?: Verb): Promise<Session>;
    /** Remembers the file as we leave it, so that another's write shows. */
    noteState(): Promise<void>;
    /** Throws `in-use` or `changed-underneath` when someone else has the image open or wrote to it since `noteState`. */
    refuseInterference(): Promise<void>;
    /** The cheap half of it: nobody wrote, took the image's name or our lock. */
    refuseChange(): Promise<void>;
    refuseOtherUsers(): Promise<void>;
    /** Never throws: what was done is done, and a lock that can't be removed is a dead owner's to the next command. */
    close(): Promise<void>;
}
/** A safe point: nothing is half done here. */
export declare function stopIfAsked(signal: AbortSignal | undefined, path: string): void;
