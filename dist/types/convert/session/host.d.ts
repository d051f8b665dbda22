/** What a conversion needs of the machine it runs on; tests put a file system in memory and other processes here. */
import type { Volume } from "../../storage/storage.ts";
import { type ProcessTable } from "../../storage/users/process-table.ts";
export interface Host {
    readonly volume: Volume;
    readonly processes: ProcessTable;
    /** Milliseconds; only differences are used, and no decision depends on them. */
    now(): number;
}
export declare function thisHost(): Host;
