/** The formats of the benchmarks, and what differs between them; a format is measured by standing here. */

import { type Stretch, writeQcow2, writeQed } from "./sparse-images.ts";

export interface BenchFormat {
  /** qemu-img's name. */
  readonly name: string;
  /** Writes an image whose tables are real and whose data are holes. */
  readonly writeSparse: (path: string, virtualSize: number, stretches: readonly Stretch[]) => void;
  /** Said of a conversion to it, where more belongs to it than the switch. */
  readonly note: string;
  /** Of the data, what a conversion to it may write at the most. */
  readonly mostWritten: number;
  /** Of a conversion to it; undefined where they are only counted. */
  readonly mostSyncs: number | undefined;
  /** Leaks that qemu-img sees in a file of so many bytes where there are none. */
  readonly forgivenLeaks: (fileSize: number) => number;
}

export const formats: readonly BenchFormat[] = [
  {
    name: "qed",
    writeSparse: writeQed,
    note: ", settled",
    mostWritten: 0.002,
    mostSyncs: undefined,
    // QEMU 7.2 counts the data cluster at 4 GiB, 8 GiB, ... of the file as leaked, in images of its own making too.
    forgivenLeaks: (fileSize) => Math.floor(fileSize / 2 ** 32),
  },
  {
    name: "qcow2",
    writeSparse: writeQcow2,
    note: "",
    mostWritten: 0.001,
    mostSyncs: 8,
    forgivenLeaks: () => 0,
  },
];

export interface BenchPair {
  readonly from: BenchFormat;
  readonly to: BenchFormat;
}

/** Each way from one format to another. */
export const pairs: readonly BenchPair[] = formats.flatMap((from) =>
  formats.filter((to) => to !== from).map((to) => ({ from, to })),
);

/** A figure's name: the target says it, unless an earlier way leads there too. */
export function figureName(kind: string, { from, to }: BenchPair): string {
  const first = pairs.find((pair) => pair.to === to);
  return first?.from === from ? `${kind}-${to.name}` : `${kind}-${from.name}-to-${to.name}`;
}
