/** What callers of the library ask for; the command line's options are the same. */

import type { FindingListener } from "../../image/finding.ts";
import type { RepairScope } from "../../image/repair.ts";

export type ChecksumAlgorithm = "blkhash-sha256" | "sha256";

/** A step of the pipeline, for progress. */
export type Stage =
  | "inspect"
  | "check"
  | "checksum"
  | "write"
  | "verify"
  | "commit"
  | "settle"
  | "roll back"
  | "compare";

export interface Progress {
  readonly stage: Stage;
  /** In bytes; `total` is 0 while unknown. */
  readonly done: number;
  readonly total: number;
}

/** Whether qemu-img is asked too: never, where it is on PATH, or always. */
export type CrossCheck = "off" | "auto" | "require";

/** Common to every command that opens an image. */
export interface OpenOptions {
  /** Source format, `-f`; probed where absent. raw is never guessed. */
  readonly format?: string;
  /** Consent to follow backing files, within the rules of SECURITY.md. */
  readonly backingChain?: boolean;
  /**
   * `-o`, as the user wrote the values: of a reading command what it says of the source (`size_from`), of a conversion the
   * target's options too.
   */
  readonly options?: Readonly<Record<string, string>>;
  /** Take bytes for raw, where `format` says so, that bear another format's mark (`--allow-marked-raw`). Default false. */
  readonly allowMarkedRaw?: boolean;
  /**
   * Read although another program may be writing to the image (`-U`). Default false; commands that write never do, and a
   * plan then has its users among its notes.
   */
  readonly forceShare?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** Stops at the next safe point with an ImageError of kind `interrupted`. */
  readonly signal?: AbortSignal;
}

export interface ConvertOptions extends OpenOptions {
  readonly dryRun?: boolean;
  /** Default `blkhash-sha256`. */
  readonly checksum?: ChecksumAlgorithm | "none";
  /** Expected guest digest; compared before anything is written. */
  readonly guestChecksum?: { readonly algorithm: ChecksumAlgorithm; readonly hex: string };
  /** Default `full`. */
  readonly verify?: "full" | "mapping";
  /** Store what is plain compressed (`-c`), by the method that the target's option `compression_type` names. Default false. */
  readonly compress?: boolean;
  /**
   * Runs of zeros of so many bytes become holes (`-S`); 0 looks at no data. Default 4096 from formats whose length says
   * nothing of their data (raw, fixed VHD, flat VMDK), 0 from all others.
   */
  readonly sparseSize?: number;
  /** Give back what is free inside the file. Default: where the source's length says nothing, and with `compress`. */
  readonly compact?: boolean;
  /** Consent to a raw whose guest's first sector looks like an image (`--allow-probed-guest`). Default false. */
  readonly allowProbedGuest?: boolean;
  /** Ids made from the guest's digest and no times, so that equal guests make equal files. Default false. */
  readonly reproducible?: boolean;
  /** Consistency check before and after; default true. References are proven either way. */
  readonly check?: boolean;
  readonly keepUndo?: boolean;
  /** Bytes, a whole number; refused when the peak would be more. */
  readonly maxExtraSpace?: number;
  /** Where the journal's records go; beside the image by default. */
  readonly journal?: string;
  readonly keepLeaks?: boolean;
  /**
   * What the user gives up: `bitmaps`, `snapshots`, or `leaks`, which are given up in any case: it says that so many are
   * meant to be.
   */
  readonly drop?: readonly string[];
  /** Of a plan or a dry run: a journal or an undo beside the image refuses nothing, since the caller ends it first. */
  readonly ignoreUnfinished?: boolean;
  /** Called with the journal's path before the journal is made. */
  readonly onJournal?: (path: string) => void | Promise<void>;
  /** Tell in the report where header, tables and data lie. Default false. */
  readonly layout?: boolean;
  /** A second opinion from qemu-img, where it is on PATH. Default `off`. */
  readonly crossCheck?: CrossCheck;
}

/** The target is what the image is. */
export type CompactOptions = Omit<
  ConvertOptions,
  | "options"
  | "dryRun"
  | "compress"
  | "compact"
  | "allowProbedGuest"
  | "reproducible"
  | "keepLeaks"
  | "drop"
  | "ignoreUnfinished"
>;

export interface CheckOptions extends OpenOptions {
  /** A second opinion from qemu-img, where it is on PATH. Default `off`. */
  readonly crossCheck?: CrossCheck;
  /** Default `none`: nothing is written. */
  readonly repair?: "none" | RepairScope;
  /** Consent to lose what is still readable, where nothing else mends the image. */
  readonly allowDataLoss?: boolean;
  readonly keepUndo?: boolean;
  /** Where the journal's records go; beside the image by default. */
  readonly journal?: string;
  /** Called with the journal's path before the journal is made. */
  readonly onJournal?: (path: string) => void | Promise<void>;
  /** Tell in the report where header, tables and data lie. Default false. */
  readonly layout?: boolean;
  /** Hears every finding in qemu-img's order; of a repair, those of the first check, then what was mended, then those of the second. */
  readonly onFinding?: FindingListener;
}

export interface ChecksumOptions extends OpenOptions {
  /** Default `blkhash-sha256`. */
  readonly algorithm?: ChecksumAlgorithm;
}

export interface CompareOptions extends Omit<OpenOptions, "format" | "options"> {
  /** Of the first image, `-f`; probed where absent. */
  readonly formatA?: string;
  /** Of the second image, `-F`. */
  readonly formatB?: string;
  /** Disks of different sizes, and ranges that are stored in one and not in the other, are differences too (`-s`). Default false. */
  readonly strict?: boolean;
}

export type RecoveryOptions = Pick<OpenOptions, "onProgress" | "signal">;
