/** One opened qcow2 image: its header at once, its tables at the first question. */
import { RangeSet } from "../../bytes/range-set.ts";
import type { ConversionOptions, Image } from "../../image/driver.ts";
import type { ExtentTable } from "../../image/extent.ts";
import type { CheckResult } from "../../image/finding.ts";
import type { Rearrangement } from "../../image/write.ts";
import type { Storage } from "../../storage/storage.ts";
export declare class Qcow2Image implements Image {
    #private;
    readonly format = "qcow2";
    readonly storage: Storage;
    readonly virtualSize: number;
    readonly clusterSize: number;
    readonly fileSize: number;
    private constructor();
    /** @throws ImageError for a header or a bitmap directory that breaks a rule; tables are read later. */
    static open(storage: Storage): Promise<Qcow2Image>;
    getConversionOptions(): ConversionOptions;
    getMapping(): Promise<ExtentTable>;
    check(): Promise<CheckResult>;
    getMetadataRanges(): Promise<RangeSet>;
    inflate(stored: Uint8Array): Uint8Array;
    getSpecificInfo(): Readonly<Record<string, unknown>>;
    planSettling(): Promise<Rearrangement>;
}
