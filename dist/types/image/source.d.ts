/** The source's half of a driver: what is there. `getConversionOptions` and `getMapping` are the letter's first two verbs. */
import type { RangeSet } from "../bytes/range-set.ts";
import type { Storage } from "../storage/storage.ts";
import type { CompressionMethod } from "./compression.ts";
import type { Encoder, EncodeWishes, PackWishes } from "./encoder.ts";
import type { ExtentTable } from "./extent.ts";
import { type CheckResult, type FindingListener } from "./finding.ts";
import type { EmptyStep, Rearranger } from "./rearranger.ts";
import type { Repair, RepairWishes } from "./repair.ts";
import type { SnapshotInfo, SpecificInfo } from "./specific-info.ts";
import type { TargetOptionValues } from "./target-options.ts";
import type { Rearrangement } from "./write.ts";
/** The file below, as an image's header names it. Nothing here says that it may be opened. */
export interface BackingFile {
    /** The bytes of the name as stored: no encoding is promised. */
    readonly nameBytes: Uint8Array;
    /** The name for people, decoded as UTF-8 with replacement; escape it before printing. */
    readonly name: string;
    /** `raw`, `qcow2`, ..., or undefined: to be probed. */
    readonly format: string | undefined;
    /** Where the name lies in the file. */
    readonly hostOffset: number;
}
/** All that a target must honour or refuse (the letter's `bdrv_get_conversion_options`). */
export interface ConversionOptions {
    readonly format: string;
    readonly virtualSize: number;
    readonly clusterSize: number;
    /** Clusters that one table of the mapping's last level points at; 0 where there are no tables. */
    readonly clustersPerTable: number;
    readonly backing: BackingFile | undefined;
    /** `aes` or `luks`. */
    readonly encryption: string | undefined;
    readonly snapshotCount: number;
    readonly bitmapNames: readonly string[];
    /** Set autoclear bits that we don't know, as messages name them: what they promise, each writer has to take back. */
    readonly unknownAutoclear: readonly string[];
    /** True where guest data lies in another file. */
    readonly hasDataFile: boolean;
    /** Bytes in which two extents may share a place without being an error: of subclusters where there are some, else of clusters. */
    readonly sharingSize: number;
    /** The method of compressed clusters; undefined where the format stores none. */
    readonly compression: CompressionMethod | undefined;
    /** Where the disk ends inside its last cluster, and that one's stream holds fewer bytes: how many. Absent: streams hold whole clusters. */
    readonly tailLength?: number;
    /** Bytes of the header cluster that hold something: header, extensions, names. The rest of it may be written to. */
    readonly usedHeader: RangeSet;
    /** The `-o` values that make this layout, by the names of the format's own target options. */
    readonly creationOptions: TargetOptionValues;
    /**
     * Where the guest's disk begins in the file, which holds it in one piece and ends with it (raw: 0), so that the file's
     * length says how long the disk is; absent where tables say where the guest's bytes lie.
     */
    readonly linearBase?: number;
    /**
     * Of an image whose header leaves to its file's end where its tables are: the first sector that says so itself, with which
     * the image is whole at any length. It is written before anything is put behind the file's end. Absent: no table is found by that.
     */
    readonly anchor?: Uint8Array;
    /**
     * Of a format whose file ends with a sector of its own: that sector. Nothing of the image comes alive behind the file's end
     * then, and whoever cuts the file anew puts it there. Absent: the file may end anywhere.
     */
    readonly footer?: Uint8Array;
    /**
     * Where the file would end if a guest wrote to all of its disk, of a format whose writers put what comes new behind the last
     * that there is, and take what lies there for zeros: nothing of ours may lie below while it is the image's. Absent: they don't.
     */
    readonly grownEnd?: number;
    /** Why the image must be repaired or replayed before anything else; empty for a clean one. */
    readonly unclean: readonly string[];
    /** What the format allows us to leave behind, e.g. `unknown autoclear feature bit 7`; goes to `dropped`. */
    readonly forgettable: readonly string[];
}
/** Of a format, or an image, that has nothing but a disk: each says what else it has. */
export declare const DISK_ALONE: {
    readonly backing: undefined;
    readonly encryption: undefined;
    readonly snapshotCount: 0;
    readonly bitmapNames: readonly [];
    readonly unknownAutoclear: readonly [];
    readonly hasDataFile: false;
    readonly compression: undefined;
    readonly creationOptions: {};
    readonly unclean: readonly [];
    readonly forgettable: readonly [];
};
/** One opened image: a snapshot of its metadata, read once. All methods are reads and may be called repeatedly; what its format lacks is absent. */
export interface Image {
    readonly format: string;
    readonly storage: Storage;
    /** Bytes of the guest's disk. */
    readonly virtualSize: number;
    readonly clusterSize: number;
    /** Length of the file when it was opened. */
    readonly fileSize: number;
    getConversionOptions(): ConversionOptions;
    /** The letter's `bdrv_get_mapping`. Walks the tables at the first call; throws ImageError `corrupt` on a table that can't be followed. */
    getMapping(): Promise<ExtentTable>;
    /**
     * References, refcounts, ranges, overlaps; absent where the format has nothing to check. Never throws for what is wrong
     * inside the image. `onFinding` hears every finding, in qemu-img's order; the result keeps the first MAX_FINDINGS.
     * `onRead`: see `checkReadsAll`.
     */
    check?(onFinding?: FindingListener, onRead?: (bytes: number) => void): Promise<CheckResult>;
    /** Set where the check reads all of the file, and tells as it goes, to who may stop it by throwing. A conversion without a check does without it then. */
    readonly checkReadsAll?: true;
    /** What its check has proven so far, one sentence each, where more than that nothing was found is to be told. */
    readonly proven?: readonly string[];
    /** What would mend the image; absent where the format has nothing that can be. */
    planRepair?(wishes: RepairWishes): Promise<Repair>;
    /** Every host byte that is metadata: header cluster, tables, refcounts, directories. */
    getMetadataRanges(): Promise<RangeSet>;
    /** What `qemu-img info` prints for this format beyond the common lines, in its order. */
    getSpecificInfo(): SpecificInfo;
    /** Internal snapshots in the order of their table; absent where the format has none. Throws ImageError where the table can't be read. */
    readSnapshots?(): Promise<readonly SnapshotInfo[]>;
    /** Moves tables and data so that the file holds nothing unreferenced and ends at its last byte (settle, compact). */
    planSettling?(): Promise<Rearrangement>;
    /**
     * Who may move what inside the file. Throws ImageError where the image, or what it has, can't be. `alignment`: a power of
     * two, at whose multiples moved clusters will lie where they may lie at any; absent: as they lie now.
     */
    openRearranger?(alignment?: number): Promise<Rearranger>;
    /**
     * Gives up where the image stands whole units of the active disk that read as zeros, snapshots and bitmaps kept: pointers, step
     * by step; what was counted is left to a repair of leaks. For an image without a backing file; absent where nothing can be.
     */
    emptyingSteps?(zeros: RangeSet): AsyncGenerator<EmptyStep, void, void>;
    /** Who may store what is plain compressed, by the image's own method. Throws ImageError where nothing can be. */
    openEncoder?(wishes: EncodeWishes): Promise<Encoder>;
    /** Who may bring all units, compressed, to where a form wants them. Throws ImageError where they can't be. */
    openPacker?(wishes: PackWishes): Promise<Encoder>;
}
/** What the image's check finds, or nothing where its format has none. */
export declare function checkOf(image: Image, onFinding?: FindingListener, onRead?: (bytes: number) => void): Promise<CheckResult>;
