/** What callers of the library get back; the command line's JSON is the same in kebab-case. */

import type { Sentence } from "../../bytes/sentence.ts";
import type { RepairedCounts } from "../../check/check-text.ts";
import type { Verdict } from "../../check/verdict.ts";
import type { FileLayout } from "../../image/file-layout.ts";
import type { CheckResult } from "../../image/finding.ts";
import type { GuestChange, PathStep } from "../../plan/path-text.ts";
import type { ChecksumAlgorithm } from "../options/options.ts";

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
  /** What it is called now, where that is another file of its folder (a flat VMDK's descriptor came or went); absent where nothing changed. */
  readonly imageAfter?: string;
  /** The file that holds the disk, beside which journal and undo lie, where the image is a text beside it, or was one; absent elsewhere. */
  readonly diskFile?: string;
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
  /** Of a plan about so many. */
  readonly syncs: number;
  readonly fileSizeBefore: number;
  readonly fileSizeAfter: number;
  /** What the file takes on the disk, holes left out; absent where the host does not tell. */
  readonly actualSizeBefore?: number;
  /** Absent of a plan, too. */
  readonly actualSizeAfter?: number;
  readonly guestChecksum: GuestChecksum | null;
  readonly check: { readonly before: CheckResult | null; readonly after: CheckResult | null };
  /** The steps in their order; none where nothing is to be done. */
  readonly path: readonly PathStep[];
  /** What changes of the guest, so that the digest after is another than before; absent where nothing does. */
  readonly guestChanges?: readonly GuestChange[];
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

/** What `plan` gives: what `convert` would do, or every reason why it would refuse. */
export interface Foretold {
  readonly report: ConversionReport;
  /** The report for people, several lines. */
  readonly text: string;
  /** What the report has as `refused`, as values. */
  readonly refusals: readonly Sentence[];
}

/** What a check found, after the repair if there was one. Counts are of clusters. */
export interface CheckReport extends CheckResult, RepairedCounts {
  readonly image: string;
  readonly format: string;
  readonly verdict: Verdict;
  /** qemu-img's: 0 clean, 1 could not check, 2 corruptions, 3 leaks only, 63 no check for this format. */
  readonly exitCode: number;
  /** Whether a repair wrote to the image. */
  readonly changed: boolean;
  /** What a repair would need `allowDataLoss` for, one sentence each. */
  readonly losses: readonly string[];
  /** Those of the losses that no consent gives up; none where absent. */
  readonly beyondRepair?: readonly string[];
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
  /** The file that holds the disk. */
  readonly image: string;
  /** As a conversion's report has them: what the image is called now, and the file that holds the disk. */
  readonly imageAfter?: string;
  readonly diskFile?: string;
  /** The format that it had before the conversion; absent of a repair. */
  readonly sourceFormat?: string;
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
  /** Guest offset of the first byte, strictly of the first range, that differs; null where none does or the sizes alone do. */
  readonly firstDifference: number | null;
  readonly sizes: readonly [number, number];
  /** In qemu-img's words, e.g. "Images are identical." */
  readonly message: string;
}
