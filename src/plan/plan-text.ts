/** A plan in words: what will be written, what stays, what moves, what is lost, and how the file looks after. */

import { formatSize } from "../bytes/size-text.ts";

/** The figures of a plan; a conversion's report has them all. Sizes in bytes. */
export interface PlanFigures {
  readonly image: string;
  readonly sourceFormat: string;
  readonly targetFormat: string;
  readonly virtualSize: number;
  readonly clusterSize: number;
  readonly bytesWritten: number;
  readonly bytesMoved: number;
  readonly bytesSettled: number;
  readonly peakExtraBytes: number;
  readonly fileSizeBefore: number;
  readonly fileSizeAfter: number;
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
  const growth = figures.fileSizeAfter - figures.fileSizeBefore;
  const rows: [string, string][] = [
    ["virtual size", formatSize(figures.virtualSize)],
    ["cluster size", formatSize(figures.clusterSize)],
    ["to be written", `${formatSize(figures.bytesWritten)} (of a file of ${formatSize(figures.fileSizeBefore)})`],
    [
      "guest data moved",
      figures.bytesMoved === 0 ? "none: all of it stays where it lies" : formatSize(figures.bytesMoved),
    ],
    ["settling", figures.bytesSettled === 0 ? "nothing to write" : formatSize(figures.bytesSettled)],
    ["peak extra space", formatSize(figures.peakExtraBytes)],
    ["file after", `${formatSize(figures.fileSizeAfter)} (${growth < 0 ? "-" : "+"}${formatSize(Math.abs(growth))})`],
    ["left behind", figures.dropped.length === 0 ? "nothing" : figures.dropped.join(", ")],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `${image}: ${sourceFormat} -> ${targetFormat}, inside the file`,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    "",
  ].join("\n");
}
