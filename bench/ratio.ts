/** How figures of time are told: ours against theirs, by the medians. */

import type { Row } from "./figure.ts";

const MiB = 2 ** 20;

export const seconds = (milliseconds: number): string =>
  `${(milliseconds / 1000).toFixed(milliseconds < 1000 ? 3 : 2)} s`;
export const inMiB = (bytes: number): string => `${(bytes / MiB).toFixed(2)} MiB`;

export function ratioRow(figure: string, most: number, reach: string, ours: number, theirs: number): Row {
  const ratio = ours / theirs;
  const shown = ratio < 0.2 ? `1/${(1 / ratio).toFixed(1)}` : ratio.toFixed(2);
  return { figure, reach, measured: `${shown}: ${seconds(ours)} against ${seconds(theirs)}`, isReached: ratio <= most };
}
