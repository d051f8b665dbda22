/** What a QED target takes, chooses and refuses, from the source's facts and the user's options. */
import type { ConversionOptions, TargetOption, TargetOptionValues } from "../../image/driver.ts";
export declare const QED_TARGET_OPTIONS: readonly TargetOption[];
export interface QedGeometry {
    readonly clusterSize: number;
    readonly tableSize: number;
}
/** Throws UsageError for values that no source could use. */
export declare function chooseGeometry(source: ConversionOptions, options: TargetOptionValues): QedGeometry;
/** All reasons why QED can't hold the source, and what is left behind by the user's word. */
export declare function judgeSource(source: ConversionOptions, { clusterSize, tableSize }: QedGeometry, drop: ReadonlySet<string>): {
    readonly refusals: readonly string[];
    readonly dropped: readonly string[];
};
