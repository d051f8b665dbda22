/** Who this process is, and whether another one still lives, for the lock beside an image. */
/** Who holds a lock. */
export interface LockOwner {
    readonly pid: number;
    readonly hostName: string;
    /** Changes with every start of the machine; empty where the system has none. */
    readonly bootId: string;
    /** Whose pids are meant: containers on one machine may share its name; absent where the system has none. */
    readonly pidNamespace?: string;
    /** When the process started, as the system counts, to tell a recycled pid; empty where it can't be known. */
    readonly startTime: string;
    /** One for each lock. */
    readonly nonce: string;
}
export interface ProcessTable {
    readonly self: Omit<LockOwner, "nonce">;
    /** `undefined` where it can't be known from here. */
    isAlive(owner: LockOwner): boolean | undefined;
}
/** The processes of this machine: Linux by /proc, elsewhere by signal 0 alone. */
export declare function systemProcesses(): ProcessTable;
