/** The target's half of a driver: what shall be there, as values; `convert/execute` alone performs them. */

import type { RangeSet } from "../bytes/range-set.ts";
import type { Words } from "../bytes/sentence.ts";
import type { Sidecar } from "../storage/storage.ts";
import type { CompressionMethod } from "./compression.ts";
import type { ExtentTable } from "./extent.ts";
import type { Identity } from "./fresh-id.ts";
import type { PackedFile, PackForm } from "./pack-form.ts";
import type { ConversionOptions } from "./source.ts";
import type { TargetOption, TargetOptionValues } from "./target-options.ts";
import type { Chunk, Write } from "./write.ts";

/** Where a target can point at data (docs/how-it-works.md). */
export interface Placement {
  /** Cluster, grain or block, in bytes. */
  readonly unitSize: number;
  /** Every unit starts at a multiple of this in the file. */
  readonly hostAlignment: number;
  /** Host ranges where no unit may lie: the header, and tables whose place the format fixes. */
  readonly reserved: RangeSet;
  /** The unit of guest offset g lies at this host offset + g and nowhere else (raw, fixed VHD, flat VMDK); absent: anywhere. */
  readonly linearBase?: number;
  /** Bytes right before each unit that are the target's (a dynamic VHD's sector bitmap); absent: none. */
  readonly leadIn?: number;
  /** Units fill the file without a hole from the first one on, which lies between these host offsets (VDI); absent: holes do not matter. */
  readonly dense?: { readonly from: number; readonly latest: number };
  /** Whether the target can say "reads as zeros" over a backing file without storing them. */
  readonly hasZeroState: boolean;
  /** Compressed source clusters that the target can point at as they are; undefined: none, they are inflated. */
  readonly compressed:
    | {
        readonly clusterSize: number;
        readonly method: CompressionMethod;
        /** The longest of them, in bytes; absent: any that the source holds. */
        readonly maxStored?: number;
      }
    | undefined;
}

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
  /** What who makes it should know of it, e.g. which readers are too old; nothing where absent. */
  readonly notes?: readonly string[];
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
  /**
   * Where the file's length says how long the disk is (raw): what it is cut to after the commit. Until then the target is
   * looked at through a view of that length. Absent where the length says nothing.
   */
  readonly cutTo?: number;
  /** Places below the source's end that the target shows and the source does not; absent: none. */
  readonly takenOver?: RangeSet;
  /** What settling will do after the switch, for the plan; the settled file's length included. */
  readonly settling: SettlingForecast;
  /** New tables, all at or past the additive start; lazily, in ascending order, the same at each call, as `Epoch.writes`. */
  additiveWrites(chunk?: Chunk): Iterable<Write>;
  /** Of a placement with a lead-in: what comes before each unit, below the old end where the unit lies there. */
  leadIns?(): Iterable<Write>;
}

/**
 * The one durable change that makes the file the target's (the letter's `bdrv_copy_header`). A kind is a way in which a
 * medium changes at once; where the change lies is data, and journal, undo and overlay take it from here.
 */
export interface Commit {
  /** `sector`: 512 bytes are written. `length`: the file loses its last sector, a footer. `name`: a text beside the file comes or goes. */
  readonly kind: "sector" | "length" | "name";
  /** Of a name: which, in the file's own folder, and whether it comes or goes. */
  readonly named?: { readonly name: string; readonly comes: boolean };
  /**
   * Of the sector, a multiple of 512: 0 for a header at the start; at or past the old end of file for a footer that comes.
   * Of a length the new one, where the footer that goes lies. Of a name 0: no byte of the file is written.
   */
  readonly hostOffset: number;
  /** The 512 bytes of the one write; of a length those that go; of a name all of its text. */
  readonly sector: Uint8Array;
  /** Writes to bytes of the header area that the source does not use, made durable before the commit; its sector is never among them. */
  readonly extras: readonly Write[];
}

/** Space of the file as `map` needs to know it. Offsets in bytes of the file. */
export interface FileSpace {
  /** Length of the source's file. */
  readonly oldFileSize: number;
  /** First host offset for new metadata: past the old end and past all copied units, a multiple of both cluster sizes. */
  readonly additiveStart: number;
  /** Places that nobody points at yet and that must be counted all the same, for what will be moved there; absent: none. */
  readonly claimed?: RangeSet;
  readonly identity?: Identity | undefined;
}

/** What the guest itself gives to a commit. */
export interface GuestMaterial {
  /** The guest's first bytes, as many as the source's header area has: what lies there in a target without tables. */
  readonly front?: Uint8Array | undefined;
  /** The file's last sector, where the source holds the disk in one piece: a footer, if it has one. */
  readonly lastSector?: Uint8Array | undefined;
  readonly identity?: Identity | undefined;
  /** The plain name of the file. */
  readonly fileName?: string | undefined;
  /** The text beside it that says what it is, where the source has one. */
  readonly sidecar?: Sidecar | undefined;
}

export interface TargetDriver {
  readonly options: readonly TargetOption[];
  /** How long a disk becomes by the options that are of the disk itself; absent: no target changes that. Throws UsageError. */
  grownSize?(virtualSize: number, options: TargetOptionValues): number;
  /** The name of the text beside the file that makes it the target's; absent where there is none. Throws ImageError. */
  sidecarName?(fileName: string, options: TargetOptionValues): string | undefined;
  /** Whether options that lay out an image as found are of a kind that is read and not made; absent: all kinds are made. */
  onlyReads?(options: TargetOptionValues): boolean;
  /** Bytes at the file's front that its own tables take, written before the commit to what the source leaves free; absent: none. */
  front?(virtualSize: number, options: TargetOptionValues): number;
  /** `-o` by which the image's first cluster is so long, and holds the header alone; absent where no options do that. */
  optionsForFront?(length: number): Readonly<Record<string, string>>;
  /** The same, and by which units of that size can be packed in it. */
  optionsForPacking?(unitSize: number): Readonly<Record<string, string>>;
  /** How its units lie, where it is a stream of compressed ones, read from front to end; absent: anywhere. */
  packForm?(options: TargetOptionValues, file?: PackedFile): PackForm | undefined;
  /** `-o` by which no cluster is larger than a unit of so many bytes; absent where no options do that. */
  optionsForUnits?(unitSize: number): Readonly<Record<string, string>>;
  /** True where refcounts say what is used, so that a fresh target leaks nothing; false where settling must give it up. */
  readonly countsReferences: boolean;
  /** Set where nothing is counted and nobody settles: a conversion to it compacts, unless leaks may stay. */
  readonly leavesLeaks?: true;
  /**
   * The letter's `bdrv_open_conversion_target`. Collects all refusals instead of throwing at the first.
   * Throws UsageError for option values that no source could use. `drop` holds what the user gives up (`bitmaps`).
   */
  openConversionTarget(source: ConversionOptions, options: TargetOptionValues, drop: ReadonlySet<string>): Draft;
  /** Why plain units could not be stored compressed in what the draft makes; absent where the format stores none. */
  encodingRefusals?(draft: Draft): readonly Words[];
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
  copyHeader(
    draft: MappedDraft,
    source: ConversionOptions,
    oldHeader: Uint8Array,
    usedHeader: RangeSet,
    guest?: GuestMaterial,
  ): Commit;
}
