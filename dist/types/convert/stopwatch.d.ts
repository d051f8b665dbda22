/** Milliseconds by stage, for the report; nothing is decided by them. */
export declare class Stopwatch {
    #private;
    constructor(now: () => number);
    time<T>(stage: string, work: () => Promise<T>): Promise<T>;
    /** Rounded to a tenth. */
    get milliseconds(): Record<string, number>;
}
