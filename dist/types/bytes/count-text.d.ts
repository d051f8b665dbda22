/** Counts as people write them: `1 leak`, `2 leaks`. */
/** `noun` in the singular; `plural` where it takes more than an s. */
export declare function counted(count: number, noun: string, plural?: string): string;
