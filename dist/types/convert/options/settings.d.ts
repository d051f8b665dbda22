/** The caller's options with every default in its place. */
import type { ChecksumAlgorithm, ConvertOptions, CrossCheck, Progress, Stage } from "./options.ts";
export interface Settings {
    readonly sourceFormat: string | undefined;
    readonly options: Readonly<Record<string, string>>;
    readonly checksum: ChecksumAlgorithm | "none";
    readonly guestChecksum: {
        readonly algorithm: ChecksumAlgorithm;
        readonly hex: string;
    } | undefined;
    readonly verify: "full" | "mapping";
    readonly compress: boolean;
    /** Undefined: by the source's format. */
    readonly sparseSize: number | undefined;
    /** Undefined: by the source's format. */
    readonly compact: boolean | undefined;
    readonly allowProbedGuest: boolean;
    readonly reproducible: boolean;
    readonly check: boolean;
    readonly keepUndo: boolean;
    readonly keepLeaks: boolean;
    readonly maxExtraSpace: number;
    readonly journal: string | undefined;
    readonly drop: readonly string[];
    readonly ignoreUnfinished: boolean;
    readonly backingChain: boolean;
    readonly allowMarkedRaw: boolean;
    /** Of a plan alone: other users of the image are told of, and refuse nothing. */
    readonly forceShare: boolean;
    readonly layout: boolean;
    readonly crossCheck: CrossCheck;
    readonly onJournal: (path: string) => void | Promise<void>;
    readonly onProgress: (progress: Progress) => void;
    readonly signal: AbortSignal | undefined;
}
/** The options have been looked at (usage.ts). */
export declare function settingsOf(options: ConvertOptions): Settings;
/** What a journal keeps of them for those who go on; its text has them in this order. */
export type KeptSettings = Pick<Settings, "drop" | "keepLeaks" | "keepUndo" | "verify" | "check" | "checksum" | "backingChain">;
export declare function keptSettings({ drop, keepLeaks, keepUndo, verify, check, checksum, backingChain, }: Settings): KeptSettings;
/** A reporter of one stage's bytes. */
export declare function progressOf(settings: Pick<Settings, "onProgress">, stage: Stage): (done: number, total?: number) => void;
