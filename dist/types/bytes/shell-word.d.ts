/** Words of a command that a POSIX shell takes as they were meant. */
/** `text` as one word of a POSIX shell, never an option. */
export declare function shellWord(text: string): string;
