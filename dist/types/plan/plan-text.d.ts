/** A plan in words: what will be written, what stays, what moves, what is lost, and how the file looks after. */
/** The figures of a plan; a conversion's report has them all. Sizes in bytes. */
export interface PlanFigures {
    readonly image: string;
    readonly sourceFormat: string;
    readonly targetFormat: string;
    readonly virtualSize: number;
    readonly clusterSize: number;
    readonly bytesWritten: number;
    readonly bytesMoved: number;
    readonly bytesSettled: number;
    readonly peakExtraBytes: number;
    readonly fileSizeBefore: number;
    readonly fileSizeAfter: number;
    readonly dropped: readonly string[];
    readonly refused: readonly string[];
}
export type PlanOutcome = "planned" | "unchanged" | "refused";
export declare function planText(outcome: PlanOutcome, figures: PlanFigures): string;
