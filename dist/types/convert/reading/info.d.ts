/** What an image is, as `qemu-img info` tells it; opens a backing file for `infoChain` alone. */
import type { OvaSpecificInfo, ParallelsSpecificInfo, Qcow2SpecificInfo, QcowSpecificInfo, QedSpecificInfo, RawSpecificInfo, VdiSpecificInfo, VhdxSpecificInfo, VmdkSpecificInfo, VpcSpecificInfo } from "../../formats/details.ts";
import type { Image } from "../../image/source.ts";
import type { SnapshotInfo } from "../../image/specific-info.ts";
import type { OpenOptions } from "../options/options.ts";
/** What is told of every image. In kebab case these are the fields of `qemu-img info --output=json`. */
export interface CommonInfo {
    /** The guest's disk, in bytes. */
    readonly virtualSize: number;
    /** The image's path as it was given. */
    readonly filename: string;
    /** What the file takes on the disk, in bytes, holes not counted; absent where the system doesn't tell. */
    readonly actualSize?: number;
    /** There, and true, only where the guest's data is encrypted. */
    readonly encrypted?: true;
    /** The backing file's name as the header has it; absent without one. */
    readonly backingFilename?: string;
    /** The same seen from where the image was opened from: by text alone, nothing was looked for. */
    readonly fullBackingFilename?: string;
    /** Absent where the header names no format. */
    readonly backingFilenameFormat?: string;
    /** Internal snapshots; absent where there are none. */
    readonly snapshots?: readonly SnapshotInfo[];
    /** The image was not closed cleanly. */
    readonly dirtyFlag: boolean;
    /** The files that hold the image: one, or of a VMDK that is split or flat its extents and its descriptor. */
    readonly children: readonly ChildInfo[];
}
/** A file below an image, as QEMU tells of it (7.2 did not yet). */
export interface ChildInfo {
    /** Its part in the image: `file` for the one that was named, `extents.0` for the one that it names. */
    readonly name: string;
    readonly info: {
        /** A file has none. */
        readonly children: readonly [];
        /** The file's length in bytes, up to whole sectors of 512. */
        readonly virtualSize: number;
        /** Its path as it was given. */
        readonly filename: string;
        readonly format: "file";
        /** What it takes on the disk, in bytes; absent where the system doesn't tell. */
        readonly actualSize?: number;
        readonly formatSpecific: {
            readonly type: "file";
            readonly data: Readonly<Record<never, never>>;
        };
        readonly dirtyFlag: false;
    };
}
export type RawInfo = CommonInfo & RawSpecificInfo;
export type QedInfo = CommonInfo & QedSpecificInfo;
export type OvaInfo = CommonInfo & OvaSpecificInfo;
export type ParallelsInfo = CommonInfo & ParallelsSpecificInfo;
export type VdiInfo = CommonInfo & VdiSpecificInfo;
export type VhdxInfo = CommonInfo & VhdxSpecificInfo;
export type VmdkInfo = CommonInfo & VmdkSpecificInfo;
export type VpcInfo = CommonInfo & VpcSpecificInfo;
export type QcowInfo = CommonInfo & QcowSpecificInfo;
export type Qcow2Info = CommonInfo & Qcow2SpecificInfo;
/** Told apart by `format`. */
export type InfoReport = RawInfo | QedInfo | QcowInfo | Qcow2Info | ParallelsInfo | VdiInfo | VhdxInfo | VmdkInfo | VpcInfo | OvaInfo;
/**
 * Reads an image's header and its lists of bitmaps and snapshots. Of the files that it names those alone are looked at that
 * hold its own disk (a VMDK's extents), never a backing file.
 *
 * @throws ImageError `not-this-format`, `unsupported` or `corrupt` for a file that is no image we can open; `io`
 */
export declare function info(path: string, options?: OpenOptions): Promise<InfoReport>;
/**
 * The same of an image and of each backing file below it, top first, as `qemu-img info --backing-chain` tells of them. The
 * call is the consent to follow them, within the rules of SECURITY.md.
 *
 * @throws ImageError as `info` does, and `unsupported` for a backing file that must not be followed
 */
export declare function infoChain(path: string, options?: OpenOptions): Promise<readonly InfoReport[]>;
/** A file that an image consists of. */
interface FileBelow {
    readonly filename: string;
    readonly size: number;
    /** What it takes on the disk, in bytes, if that is known. */
    readonly allocatedSize: number | undefined;
}
/** `files`: the one that was named, then those that it says hold the disk, where they are others. */
export declare function describeImage(path: string, image: Image, files: readonly FileBelow[]): InfoReport;
export {};
