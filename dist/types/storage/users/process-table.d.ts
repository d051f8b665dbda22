/**
 * Who this process is, and whether another one still lives, for the lock beside an image. Dead is only who is proven
 * dead (docs/decisions/whose-lock-is-dead.md): what can't be known is left to the user.
 */
/** Who holds a lock. What the system does not tell is empty. */
export interface LockOwner {
    readonly pid: number;
    readonly hostName: string;
    /** Changes with every start of the machine. */
    readonly bootId: string;
    /** A digest of what stays through a restart and differs between most machines. */
    readonly machineId?: string;
    /** Whose pids are meant: containers on one machine may share its name. */
    readonly pidNamespace?: string;
    /** By whose clock the start is told: containers may count from other beginnings. */
    readonly timeNamespace?: string;
    /** When the process started, as the system counts, to tell a recycled pid. */
    readonly startTime: string;
    /** One for each lock. */
    readonly nonce: string;
}
/** A process's line of the process table. */
export interface ProcessFacts {
    /** It has ended, and only its parent has not taken notice yet. */
    readonly hasEnded: boolean;
    /** Empty where it can't be read. */
    readonly startTime: string;
}
export interface ProcessTable {
    readonly self: Omit<LockOwner, "nonce">;
    /** Of the owner of the lock at `lockPath`; `undefined` where it can't be known from here. */
    isAlive(owner: LockOwner, lockPath: string): boolean | undefined;
}
/** What a process table asks of the machine. */
export interface Machine {
    /** Undefined for a pid that nobody has. */
    process(pid: number): ProcessFacts | undefined;
    /** True where no other machine can mount the file system of `path` itself, though it may be served to others. */
    isLocal(path: string): boolean;
}
/** The processes of this machine: Linux by /proc, elsewhere by signal 0 alone. */
export declare function systemProcesses(): ProcessTable;
/** The rules, for any machine; `whoAmI` is asked when it matters, since readers never do. */
export declare function processTableOf(whoAmI: () => ProcessTable["self"], machine: Machine): ProcessTable;
