/** An opened QED image: its header, its mapping, its check (QED specification). */
import { RangeSet } from "../../bytes/range-set.ts";
import type { ExtentTable } from "../../image/extent.ts";
import type { CheckResult, FindingListener } from "../../image/finding.ts";
import type { Repair, RepairWishes } from "../../image/repair.ts";
import type { ConversionOptions, Image } from "../../image/source.ts";
import type { Rearrangement } from "../../image/write.ts";
import type { Storage } from "../../storage/storage.ts";
import { type QedHeader } from "./header/header.ts";
export interface QedSpecificInfo {
    readonly format: "qed";
    /** Bytes. */
    readonly clusterSize: number;
}
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
    check(onFinding?: FindingListener): Promise<CheckResult>;
    planRepair(wishes: RepairWishes): Promise<Repair>;
    getMetadataRanges(): Promise<RangeSet>;
    getSpecificInfo(): QedSpecificInfo;
    /** Reads the tables anew where need be; throws ImageError `corrupt` for an image that is not clean but for leaks. */
    planSettling(): Promise<Rearrangement>;
}
export declare function openQed(storage: Storage): Promise<QedImage>;
