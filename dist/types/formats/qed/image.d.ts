/** An opened QED image: its header, its mapping, its check (QED specification). */
import { RangeSet } from "../../bytes/range-set.ts";
import type { ConversionOptions, Image } from "../../image/driver.ts";
import type { ExtentTable } from "../../image/extent.ts";
import type { CheckResult } from "../../image/finding.ts";
import type { Rearrangement } from "../../image/write.ts";
import type { Storage } from "../../storage/storage.ts";
import { type QedHeader } from "./header.ts";
export declare class QedImage implements Image {
    #private;
    readonly format = "qed";
    readonly storage: Storage;
    readonly header: QedHeader;
    constructor(storage: Storage, header: QedHeader);
    get virtualSize(): number;
    get clusterSize(): number;
    get fileSize(): number;
    getConversionOptions(): ConversionOptions;
    get isMarkedForCheck(): boolean;
    getMapping(): Promise<ExtentTable>;
    check(): Promise<CheckResult>;
    getMetadataRanges(): Promise<RangeSet>;
    inflate(): Uint8Array;
    getSpecificInfo(): Readonly<Record<string, unknown>>;
    /** Reads the tables anew where need be; throws ImageError `corrupt` for an image that is not clean but for leaks. */
    planSettling(): Promise<Rearrangement>;
}
export declare function openQed(storage: Storage): Promise<QedImage>;
