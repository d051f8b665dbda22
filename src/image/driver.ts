/**
 * The format driver: the five verbs of the 2011 letter "[RFC 00/24] inplace image conversion", in its order.
 *
 *   source   open -> getConversionOptions, getMapping            what is there
 *   target   openConversionTarget -> map -> copyHeader           what shall be there
 *
 * Drivers never write: they return values, and `convert/execute` alone performs them. Every value is immutable.
 */

import type { RangeSet } from "../bytes/range-set.ts";
import type { Words } from "../bytes/sentence.ts";
import type { Storage } from "../storage/storage.ts";
import type { ExtentTable } from "./extent.ts";
import type { CheckResult, FindingListener } from "./finding.ts";
import type { Repair, RepairWishes } from "./repair.ts";
import type { SnapshotInfo, SpecificInfo } from "./specific-info.ts";
import type { Rearrangement, Write } from "./write.ts";

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
  readonly hasSubclusters: boolean;
  /** The method of compressed clusters, if the mapping has any. */
  readonly compression: "zlib" | "zstd";
  /** Bytes of the header cluster that hold something: header, extensions, names. The rest of it may be written to. */
  readonly usedHeader: RangeSet;
  /** The `-o` values that make this layout, by the names of the format's own target options. */
  readonly creationOptions: TargetOptionValues;
  /** Why the image must be repaired or replayed before anything else; empty for a clean one. */
  readonly unclean: readonly string[];
  /** What the format allows us to leave behind, e.g. `unknown autoclear feature bit 7`; goes to `dropped`. */
  readonly forgettable: readonly string[];
}

/** One opened image: a snapshot of its metadata, read once. All methods are reads and may be called repeatedly. */
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
  /** False where the format has nothing to check (raw): `check` then returns an empty result. Default true. */
  readonly hasCheck?: boolean;
  /**
   * References, refcounts, ranges, overlaps. Never throws for what is wrong inside the image. `onFinding` hears every
   * finding, in qemu-img's order; the result keeps the first MAX_FINDINGS.
   */
  check(onFinding?: FindingListener): Promise<CheckResult>;
  /** What would mend the image; absent where the format has nothing that can be. */
  planRepair?(wishes: RepairWishes): Promise<Repair>;
  /** Every host byte that is metadata: header cluster, tables, refcounts, directories. */
  getMetadataRanges(): Promise<RangeSet>;
  /** One compressed extent's stored bytes to one cluster. Bounded; throws `corrupt` when it is not exactly one cluster. */
  inflate(stored: Uint8Array): Uint8Array;
  /** What `qemu-img info` prints for this format beyond the common lines, in its order. */
  getSpecificInfo(): SpecificInfo;
  /** Internal snapshots in the order of their table; absent where the format has none. Throws ImageError where the table can't be read. */
  readSnapshots?(): Promise<readonly SnapshotInfo[]>;
  /** Moves tables and data so that the file holds nothing unreferenced and ends at its last byte (settle, compact). */
  planSettling?(): Promise<Rearrangement>;
}

/** Where a target can point at data (docs/how-it-works.md). */
export interface Placement {
  /** Cluster, grain or block, in bytes. */
  readonly unitSize: number;
  /** Every unit starts at a multiple of this in the file. */
  readonly hostAlignment: number;
  /** Host ranges where no unit may lie (the header). */
  readonly reserved: RangeSet;
  /** Whether the target can say "reads as zeros" over a backing file without storing them. */
  readonly hasZeroState: boolean;
  /** Compressed source clusters that the target can point at as they are; undefined: none, they are inflated. */
  readonly compressed: { readonly clusterSize: number; readonly method: "zlib" | "zstd" } | undefined;
}

/** One option of a target, as `-o help` lists it. */
export interface TargetOption {
  readonly name: string;
  readonly kind: "size" | "number" | "boolean" | "choice";
  readonly choices?: readonly string[];
  readonly help: string;
}

/** Values of `-o`, parsed by kind: sizes and numbers as numbers, on/off as booleans, choices as text. */
export type TargetOptionValues = Readonly<Record<string, string | number | boolean>>;

/** A hybrid of open and create: rules and limits of the target to be; no I/O has happened. */
export interface Draft {
  readonly format: string;
  readonly virtualSize: number;
  readonly clusterSize: number;
  readonly placement: Placement;
  /** The options as they will be, named or chosen, for the plan's text. */
  readonly options: TargetOptionValues;
  /** All reasons why the target can't represent the source, one sentence each; empty when it can. */
  readonly refusals: readonly Words[];
  /** What the target leaves behind, by the user's flag or by the format's own rule. */
  readonly dropped: readonly string[];
}

/** Bytes that settling will copy and write, and how long the file will be then. */
export interface SettlingForecast {
  readonly bytesMoved: number;
  readonly bytesWritten: number;
  readonly fileSize: number;
}

/** A draft that knows every byte of its metadata. */
export interface MappedDraft extends Draft {
  readonly extents: ExtentTable;
  /** Length of the file once the additive writes are there, in whole clusters. */
  readonly fileSize: number;
  /** Sum of the lengths of `additiveWrites`. */
  readonly metadataBytes: number;
  /** What settling will do after the switch, for the plan; the settled file's length included. */
  readonly settling: SettlingForecast;
  /** New tables, all at or past the additive start; lazily, in ascending order, the same at each call. */
  additiveWrites(): Iterable<Write>;
}

/** What makes the file the target's (the letter's `bdrv_copy_header`). */
export interface Commit {
  /** Writes to bytes of the header cluster that the source does not use, made durable before the commit; sector 0 is never among them. */
  readonly extras: readonly Write[];
  /** The one write: the target's 512 bytes for host offset 0. */
  readonly sector: Uint8Array;
}

/** Space of the file as `map` needs to know it. Offsets in bytes of the file. */
export interface FileSpace {
  /** Length of the source's file. */
  readonly oldFileSize: number;
  /** First host offset for new metadata: past the old end and past all copied units, a multiple of both cluster sizes. */
  readonly additiveStart: number;
}

export interface TargetDriver {
  readonly options: readonly TargetOption[];
  /** True where refcounts say what is used, so that a fresh target leaks nothing; false where settling must give it up. */
  readonly countsReferences: boolean;
  /**
   * The letter's `bdrv_open_conversion_target`. Collects all refusals instead of throwing at the first.
   * Throws UsageError for option values that no source could use. `drop` holds what the user gives up (`bitmaps`).
   */
  openConversionTarget(source: ConversionOptions, options: TargetOptionValues, drop: ReadonlySet<string>): Draft;
  /**
   * The letter's `bdrv_map`: the whole sorted stream of target extents in one pass, proving alignment, bounds and
   * overlap; throws ImageError `out-of-bounds` for what doesn't fit.
   */
  map(draft: Draft, extents: ExtentTable, space: FileSpace): MappedDraft;
  /**
   * The letter's `bdrv_copy_header`. `oldHeader` is the source's header area as it is on disk (at least the header
   * cluster of either format, or the whole file if that is shorter; never less than one sector), `usedHeader` the
   * ranges in it that the source uses. Throws ImageError `unsupported` when the target's header finds no room.
   */
  copyHeader(draft: MappedDraft, source: ConversionOptions, oldHeader: Uint8Array, usedHeader: RangeSet): Commit;
}

export interface FormatDriver {
  /** qemu-img's name. */
  readonly name: string;
  /** Looks at the file's first bytes (at least 512, fewer only if the file is shorter). raw answers false: it is never guessed. */
  probe(head: Uint8Array): boolean;
  /** Reads and validates the header; tables are read on demand. Throws ImageError, never follows other files. */
  open(storage: Storage): Promise<Image>;
  readonly target?: TargetDriver;
}
