/** What a figure of the benchmarks is, and what its measuring needs. */

import { type DataImages, makeDataImages } from "./data-images.ts";

/** One line of the table. */
export interface Row {
  readonly figure: string;
  readonly reach: string;
  readonly measured: string;
  readonly isReached: boolean;
}

export interface Bench {
  readonly folder: string;
  readonly runs: number;
  /** The images with real data, made when first asked for. */
  readonly images: () => DataImages;
}

export interface Figure {
  readonly name: string;
  run(bench: Bench): Promise<Row[]>;
}

export function newBench(folder: string, runs: number, scale: number): Bench {
  let images: DataImages | undefined;
  return {
    folder,
    runs,
    images: () => {
      images ??= makeDataImages(folder, scale);
      return images;
    },
  };
}
