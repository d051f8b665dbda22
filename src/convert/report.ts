/** What callers of the library ask for and get back; the CLI's JSON is the same in kebab-case. */

import type { Fixed } from "../check/check-text.ts";
import type { Verdict } from "../check/verdict.ts";
import type { FileLayout } from "../image/file-layout.ts";
import type { CheckResult, FindingListener } from "../image/finding.ts";
import type { RepairScope } from "../image/repair.ts";
import type { CrossCheck } from "./cross-check.ts";

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

/** Common to every command that opens an image. */
export interface OpenOptions {
  /** Source format, `-f`; probed where absent. raw is never guessed. */
  readonly format?: string;
  /** Consent to follow backing files, within the rules of SECURITY.md. */
  readonly backingChain?: boolean;
  /** Take bytes for raw, where `format` says so, that bear another format's mark (`--allow-marked-raw`). Default false. */
  readonly allowMarkedRaw?: boolean;
  /** Read although another program may be writing to the image (`-U`). Default false; commands that write never do. */
  readonly forceShare?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** Stops at the next safe point with an ImageError of kind `interrupted`. */
  readonly signal?: AbortSignal;
}

export interface ConvertOptions extends OpenOptions {
  /** `-o`, as the user wrote the values; parsed against the target's option table. */
  readonly options?: Readonly<Record<string, string>>;
  readonly dryRun?: boolean;
  /** Default `blkhash-sha256`. */
  readonly checksum?: ChecksumAlgorithm | "none";
  /** Expected guest digest; compared before anything is written. */
  readonly guestChecksum?: { readonly algorithm: ChecksumAlgorithm; readonly hex: string };
  /** Default `full`. */
  readonly verify?: "full" | "mapping";
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

/** The file before and after; the same twice where nothing was written. */
export interface Layouts {
  readonly before: FileLayout;
  /** Null of a plan that would change something. */
  readonly after: FileLayout | null;
}

export interface GuestChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** `layer` where the image has a backing file and no consent was given to read it. */
  readonly covers: "guest" | "layer";
  readonly before: string | null;
  readonly after: string | null;
}

/** Clusters of the source that nothing refers to: their bytes are lost with the conversion. */
export interface LeaksGivenUp {
  readonly clusters: number;
  readonly bytes: number;
  /** True where a lost table would leave so many, so that they may be the only trace of lost data. */
  readonly isSuspicious: boolean;
}

/** The result of `convert` and, with `changed: false`, of `plan`. Sizes in bytes. */
export interface ConversionReport {
  readonly image: string;
  readonly sourceFormat: string;
  readonly targetFormat: string;
  readonly changed: boolean;
  readonly virtualSize: number;
  /** Of the target. */
  readonly clusterSize: number;
  /** Of the guest's disk, what is stored: a copy reads all of it and writes it again, but for zeros it finds inside. */
  readonly guestDataBytes: number;
  /** All bytes written, the journal included. */
  readonly bytesWritten: number;
  /** Guest bytes copied because they could not stay. */
  readonly bytesMoved: number;
  /** Bytes written to settle (data and tables). */
  readonly bytesSettled: number;
  readonly peakExtraBytes: number;
  readonly syncs: number;
  readonly fileSizeBefore: number;
  readonly fileSizeAfter: number;
  readonly guestChecksum: GuestChecksum | null;
  readonly check: { readonly before: CheckResult | null; readonly after: CheckResult | null };
  /** What the target leaves behind, one phrase each; of leaks their clusters and bytes. */
  readonly dropped: readonly string[];
  /** Leaked clusters that are given up, also by consent (`--drop leaks`); absent where there are none. */
  readonly leaksGivenUp?: LeaksGivenUp;
  /** All reasons of a refusal (plan only; `convert` throws them). */
  readonly refused: readonly string[];
  readonly rolledBack: boolean;
  /** Stage name to duration. */
  readonly milliseconds: Readonly<Record<string, number>>;
  /** What could not be looked at or degraded on this platform. */
  readonly notes: readonly string[];
  /** Only where it was asked for. */
  readonly layout?: Layouts;
}

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

/** What a check found, after the repair if there was one. Counts are of clusters. */
export interface CheckReport extends CheckResult, Fixed {
  readonly image: string;
  readonly format: string;
  readonly verdict: Verdict;
  /** qemu-img's: 0 clean, 1 could not check, 2 corruptions, 3 leaks only, 63 no check for this format. */
  readonly exitCode: number;
  /** Whether a repair wrote to the image. */
  readonly changed: boolean;
  /** What a repair would need `allowDataLoss` for, one sentence each. */
  readonly losses: readonly string[];
  /** What a repair gave up by consent. */
  readonly givenUp: readonly string[];
  /** All bytes that a repair wrote, the journal included. */
  readonly bytesWritten: number;
  readonly syncs: number;
  /** Stage name to duration. */
  readonly milliseconds: Readonly<Record<string, number>>;
  /** qemu-img's fields, then our own. */
  readonly json: Readonly<Record<string, unknown>>;
  /** qemu-img's text on stdout: what was repaired, then the verdict; the findings' lines go to stderr. */
  readonly fixedText: string;
  readonly text: string;
  readonly notes: readonly string[];
  /** Only where it was asked for, and absent where the tables can't be followed. */
  readonly layout?: FileLayout;
}

export interface RecoveryReport {
  readonly image: string;
  /** Format of the image now. */
  readonly format: string;
  readonly outcome: "resumed" | "rolled-back" | "settled" | "nothing-to-do";
  /** One sentence for people. */
  readonly message: string;
  /** What could not be looked at or degraded on this platform. */
  readonly notes: readonly string[];
}

export interface SetmapReport {
  readonly image: string;
  readonly guestOffset: number;
  readonly hostOffset: number;
  readonly length: number;
  /** What could not be looked at or degraded on this platform. */
  readonly notes: readonly string[];
}

export interface ChecksumReport {
  readonly image: string;
  readonly algorithm: ChecksumAlgorithm;
  readonly covers: "guest" | "layer";
  readonly checksum: string;
}

/** The first range in which two guest views differ. */
export interface CompareReport {
  readonly identical: boolean;
  readonly firstDifference: number | null;
  readonly sizes: readonly [number, number];
  /** In qemu-img's words, e.g. "Images are identical." */
  readonly message: string;
}
