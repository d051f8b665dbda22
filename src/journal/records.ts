/** The records of a journal, each with the facts that it states; what bytes stand behind them is said beside each. */

/**
 * Where a conversion of several steps comes from and where it goes. Nothing of the future is told: each step is planned from
 * the image as it then stands.
 */
export interface Journey {
  readonly originFormat: string;
  /** `-o` that would make the origin's layout again. */
  readonly originOptions: Readonly<Record<string, string>>;
  readonly goalFormat: string;
  /** `-o` as the user wrote it. */
  readonly goalOptions: Readonly<Record<string, string>>;
  readonly wishes: Wishes;
  /** Before the one whose journal this is: only while it is 0 is the origin's own layout led back to. */
  readonly stepsTaken: number;
  /** What was changed of the guest's disk while it lay in one piece, as was asked for; absent where nothing was. */
  readonly changed?: ChangedDisk;
  /** The origin's file lies beside the image, durable before its first write, sharing its space. */
  readonly hasCopy?: true;
}

/**
 * A raw disk that was made longer and patched: what leads back byte for byte, told in each journal of the steps that follow,
 * since each takes the place of the one before it. So it stands in the facts, not in the bytes behind them.
 */
export interface ChangedDisk {
  readonly oldFileSize: number;
  /** As long as the disk is then; what it has gained is zeros, but for the patches. */
  readonly fileSize: number;
  /** In the order of the writes, what one sync makes durable together. Whole sectors, none of them twice. */
  readonly steps: readonly (readonly PatchedSectors[])[];
}

/** Bytes in hex, trailing zeros left out; those before are zeros where the disk had ended. */
export type PatchedSectors = readonly [guestOffset: number, length: number, before: string, after: string];

/** What shall become of the goal beside its format. */
export interface Wishes {
  readonly compact: boolean;
  readonly compress: boolean;
  readonly sparseSize: number;
  readonly reproducible: boolean;
  /** Null without a bound. */
  readonly maxExtraSpace: number | null;
}

/** The first record of a conversion; synced, with its folder, before the image's first write. Offsets and sizes in bytes. */
export interface Intent {
  readonly record: "intent";
  readonly version: 1;
  /** `setmap` changes the guest on purpose: before the commit it is put back, never planned anew. */
  readonly purpose: "convert" | "roll-back" | "setmap";
  readonly sourceFormat: string;
  readonly targetFormat: string;
  /** `-o` as the user wrote it, to plan anew. */
  readonly options: Readonly<Record<string, string>>;
  readonly drop: readonly string[];
  readonly keepLeaks: boolean;
  readonly keepUndo: boolean;
  readonly verify: "full" | "mapping";
  readonly check: boolean;
  readonly checksum: "blkhash-sha256" | "sha256" | "none";
  readonly backingChain: boolean;
  /** Of the guest as the target shall show it; null where no digest was asked for. */
  readonly guestDigest: string | null;
  /** Where the step is one of several; absent where it is all there is. */
  readonly journey?: Journey;
  /** Of a step that is all there is, to plan anew; absent in old journals. */
  readonly wishes?: Wishes;
  /** Where the file's length says how long the disk is: what it is cut to after the commit. */
  readonly cutTo?: number;
  /** Whether the source held its disk in one piece, and the target does; absent in old journals, which tell by the formats alone. */
  readonly sourceInOnePiece?: boolean;
  readonly targetInOnePiece?: boolean;
  /** SHA-256 of the first bytes of a source in one piece: whoever makes a partition or file system larger changes them. */
  readonly frontDigest?: string;
  /** Of a footer that goes: `length`; of a text beside the image that comes or goes: `name`. Absent for a sector that is written. */
  readonly commitKind?: "length" | "name";
  /** Of a name: which, whether it comes, and how long the text is that the blob begins with. */
  readonly commitName?: { readonly name: string; readonly comes: boolean; readonly length: number };
  /** The plain name of the text beside the image, where it has one, had one or gets one: by it too the journal is found. */
  readonly sidecar?: string;
  /**
   * What the source holds beside its active guest that the target does not keep up: `2 snapshots`, `bitmap b0`,
   * `unknown autoclear feature bit 5`.
   */
  readonly alsoHolds?: readonly string[];
  readonly oldFileSize: number;
  /**
   * End of the last cluster that the source points at, past `oldFileSize` where the file ends inside it. Nothing of ours
   * lies below. Absent in old journals, whose state has it all the same.
   */
  readonly sourceEnd?: number;
  /**
   * Hex, trailing zeros left out: what the first sector is while the file is longer than the source's, whose own leaves to
   * the file's end where its tables are. Absent where that says nothing.
   */
  readonly anchor?: string;
  /** The target shows places below the source's end that the source does not: `prepared` tells of them too. */
  readonly takesOver?: boolean;
  /** `-o` that would make the source's layout again. */
  readonly sourceOptions: Readonly<Record<string, string>>;
  /** SHA-256 over every metadata byte of the source, in file order. */
  readonly metadataDigest: string;
  /** The file's length once everything additive is there. */
  readonly fileSize: number;
  /** The saved header area is [0, savedLength); trailing zeros are not stored. */
  readonly savedLength: number;
  /** Where the commit's sector lies, in the saved header area or, of a footer, at the file's end; absent for 0. */
  readonly commitHostOffset?: number;
  /** Writes to bytes of the header area that the source does not use: [hostOffset, length]. */
  readonly extras: readonly (readonly [hostOffset: number, length: number])[];
}

/** The first record of a repair; synced, with its folder, before the image's first write. Offsets and sizes in bytes. */
export interface RepairIntent {
  readonly record: "repair";
  readonly version: 1;
  readonly format: string;
  readonly scope: "leaks" | "all";
  readonly allowDataLoss: boolean;
  readonly keepUndo: boolean;
  readonly oldFileSize: number;
  /** The file's length once everything additive is there; not less than before. */
  readonly fileSize: number;
  /** SHA-256 over every metadata byte as it was, in file order; null where the metadata could not be followed. */
  readonly metadataDigest: string | null;
  /** What is written past the old end; absent in old journals. */
  readonly added?: readonly (readonly [start: number, end: number])[];
  /**
   * Where the repair gives up snapshots, bitmaps or unknown autoclear bits, which then no longer follow what a guest
   * writes: what each state may show, as blkhash-sha256; empty where that can't be computed. Absent where nothing of the kind is given up.
   */
  readonly guestDigests?: readonly string[];
  readonly steps: readonly {
    readonly purpose: string;
    readonly patches: readonly (readonly [hostOffset: number, length: number])[];
  }[];
}

/**
 * The first record of a rearrangement inside one format; synced, with its folder, before the image's first write. Each
 * state of the image that follows is whole, so that nothing but the way is remembered. The blob holds the file's first bytes.
 */
export interface RearrangeIntent
  extends Pick<
    Intent,
    | "version"
    | "drop"
    | "keepLeaks"
    | "keepUndo"
    | "verify"
    | "check"
    | "checksum"
    | "backingChain"
    | "guestDigest"
    | "sidecar"
    | "oldFileSize"
  > {
  readonly record: "rearrange";
  readonly purpose: "convert" | "roll-back";
  readonly format: string;
  /** `relocate`: the disk of a raw image is changed, or put back; its journey says how. */
  readonly goal: "linear" | "gather" | "zeros" | "compact" | "encode" | "pack" | "relocate";
  readonly journey: Journey;
}

/** Everything additive is durable; the commit, or the first step of a repair, may follow. */
export interface Prepared {
  readonly record: "prepared";
  /** Host ranges written past the old end, ascending; of a setmap also the range that the guest is pointed at. */
  readonly added: readonly (readonly [start: number, end: number])[];
  /** SHA-256 over the bytes of `added`. */
  readonly addedDigest: string;
}

/** The committed target, or the repaired image, was opened anew and is right. */
export interface Verified {
  readonly record: "verified";
  /** False while `--keep-undo` holds the way back open. */
  readonly undoGivenUp: boolean;
}

/** Settling is about to write this sector 0 (512 bytes in the blob); all that it points at is durable. */
export interface NewHeader {
  readonly record: "new-header";
}

/**
 * A recovery is about to write the first bytes of the file as it found them (in the blob), which a cut may take from the
 * medium: what somebody wrote there since the intent is nowhere else.
 */
export interface FoundHeader {
  readonly record: "found-header";
}

/** The image is as it was; only the journal's own removal was left. */
export interface RolledBack {
  readonly record: "rolled-back";
}

/**
 * The copy of the origin is about to take the image's name: where it is gone after this, it has, or somebody removed it.
 * What the image was until then tells which.
 */
export interface Restoring {
  readonly record: "restoring";
  readonly format: string;
  /** SHA-256, hex: of the first sector, and of all metadata where the origin has the same format. */
  readonly digest: string;
}

/** The only record of a journal that lies elsewhere (`--journal`). `path` is relative to the image's folder. */
export interface Pointer {
  readonly record: "pointer";
  readonly path: string;
}

export type Facts =
  | Intent
  | RepairIntent
  | RearrangeIntent
  | Prepared
  | Verified
  | NewHeader
  | FoundHeader
  | RolledBack
  | Restoring
  | Pointer;
