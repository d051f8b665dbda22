/** The file before and after in one line of characters each, where no pictures can be drawn. */

import { formatSize } from "../bytes/size-text.ts";
import type { FileLayout, LayoutKind } from "./file-layout.ts";

/** As many as a phone shows. */
const COLUMNS = 36;

/** Told by shape: no two are alike without colours. */
const MARKS: Readonly<Record<LayoutKind, string>> = { header: "H", tables: "▒", data: "█", compressed: "▄", free: "·" };
/** These show even where they are less than a character. */
const SHOWN_FIRST = ["header", "tables"] as const satisfies readonly LayoutKind[];

export const PICTURE_LEGEND = "H header  █ data  ▄ compressed  ▒ tables  · free";

/** @param longest the size in bytes that takes all of `across` columns */
export function pictureLine(layout: FileLayout, longest: number, across = COLUMNS): string {
  const width = longest / across;
  const columns = Math.max(1, Math.round(layout.fileSize / width));
  const sums = Array.from({ length: columns }, () => ({ header: 0, tables: 0, data: 0, compressed: 0, free: 0 }));
  for (const { start, length, kind } of layout.runs) {
    const end = start + length;
    for (let column = Math.floor(start / width); column < columns && column * width < end; column++) {
      const sum = sums[column];
      if (sum) sum[kind] += Math.min(end, (column + 1) * width) - Math.max(start, column * width);
    }
  }
  return sums.map((sum, column) => MARKS[kindOf(sum, column)]).join("");
}

/** `before  4 GiB`, a line break, `H▒████··`, and the same of what came after; `now` alone where nothing did. */
export function pictureText({
  before,
  after,
}: {
  readonly before: FileLayout;
  readonly after: FileLayout | null;
}): string {
  const longest = Math.max(before.fileSize, after?.fileSize ?? 0, 1);
  const lines = (name: string, layout: FileLayout) =>
    `${name}  ${formatSize(layout.fileSize)}\n${pictureLine(layout, longest)}`;
  return after ? `${lines("before", before)}\n${lines("after", after)}` : lines("now", before);
}

/** Tables are small and tell most: a column that holds more than a trace of them shows them. */
function kindOf(sum: Readonly<Record<LayoutKind, number>>, column: number): LayoutKind {
  if (column === 0 && sum.header > 0) return "header";
  const [largest] = (Object.entries(sum) as [LayoutKind, number][]).sort(([, a], [, b]) => b - a);
  const total = Object.values(sum).reduce((all, each) => all + each, 0);
  const first = SHOWN_FIRST.find((kind) => sum[kind] > total / 64);
  return first ?? largest?.[0] ?? "free";
}
