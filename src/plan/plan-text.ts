/** A plan in words: what will be written, what stays, what moves, what is lost, and how the file looks after. */

import { counted } from "../bytes/count-text.ts";
import { fileText, formatSize } from "../bytes/size-text.ts";
import { changeTexts, type GuestChange, type PathStep, stepTexts, wayBackText } from "./path-text.ts";

/** The figures of a plan; a conversion's report has them all. Sizes in bytes. */
export interface PlanFigures {
  readonly image: string;
  readonly sourceFormat: string;
  readonly targetFormat: string;
  readonly virtualSize: number;
  /** Undefined of a target that has no clusters. */
  readonly clusterSize: number | undefined;
  readonly bytesWritten: number;
  readonly bytesMoved: number;
  readonly bytesSettled: number;
  readonly peakExtraBytes: number;
  /** About so many. */
  readonly syncs: number;
  readonly fileSizeBefore: number;
  readonly fileSizeAfter: number;
  /** Bytes of the guest that are changed, as was asked for; absent where none are. */
  readonly guestChanges?: readonly GuestChange[];
  /** What the file takes on the disk, holes left out; absent where the host does not tell. */
  readonly actualSizeBefore?: number;
  readonly path: readonly PathStep[];
  readonly dropped: readonly string[];
  readonly refused: readonly string[];
}

export type PlanOutcome = "planned" | "unchanged" | "refused";

export function planText(outcome: PlanOutcome, figures: PlanFigures): string {
  const { image, sourceFormat, targetFormat } = figures;
  if (outcome === "unchanged") return `${image}: is ${targetFormat} as asked already; nothing to do\n`;
  if (outcome === "refused") {
    return [
      `${image}: ${sourceFormat} can't become ${targetFormat}:`,
      ...figures.refused.map((reason) => `  - ${reason}`),
      "",
    ].join("\n");
  }
  const { path, clusterSize, bytesMoved, fileSizeBefore, fileSizeAfter } = figures;
  const growth = fileSizeAfter - fileSizeBefore;
  const isLong = path.length > 1 || path[0]?.step === "rearrange";
  const rows: [string, string][] = [
    ...(isLong
      ? stepTexts(path).map((text, at): [string, string] => [at === 0 ? "steps" : "", `${at + 1} ${text}`])
      : []),
    ["virtual size", formatSize(figures.virtualSize)],
    ...(clusterSize === undefined ? [] : [["cluster size", formatSize(clusterSize)] as [string, string]]),
    [
      "to be written",
      `${formatSize(figures.bytesWritten)} (of a file of ${fileText(fileSizeBefore, figures.actualSizeBefore)})`,
    ],
    ["guest data moved", bytesMoved === 0 ? "none: all of it stays where it lies" : formatSize(bytesMoved)],
    ...changeTexts(figures.guestChanges).map((text, at): [string, string] => [at === 0 ? "guest changed" : "", text]),
    ["settling", figures.bytesSettled === 0 ? "nothing to write" : formatSize(figures.bytesSettled)],
    ["peak extra space", formatSize(figures.peakExtraBytes)],
    ["barriers", `about ${counted(figures.syncs, "sync")}`],
    ["file after", `${formatSize(fileSizeAfter)} (${growth < 0 ? "-" : "+"}${formatSize(Math.abs(growth))})`],
    ["left behind", figures.dropped.length === 0 ? "nothing" : figures.dropped.join(", ")],
    ["rollback", wayBackText(path, sourceFormat)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const what = sourceFormat === targetFormat ? `${sourceFormat} rearranged` : `${sourceFormat} -> ${targetFormat}`;
  return [
    `${image}: ${what}, inside the file`,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    "",
  ].join("\n");
}
