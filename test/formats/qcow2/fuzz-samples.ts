/** Valid qcow2 images of many shapes to be damaged, made by qemu-img, all small. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImageSample } from "../kit.ts";
import { makeSample, SAMPLES } from "./samples.ts";

const NAMES = [
  "mixed",
  "mixed-v2",
  "cluster-512",
  "cluster-1k-refcount-1",
  "cluster-4k-refcount-4",
  "cluster-4k-refcount-64",
  "odd-size",
  "several-l2",
  "zlib-4k",
  "zstd",
  "zlib-then-written",
  "subclusters-16k",
  "subclusters-zlib",
  "snapshots",
  "snapshots-zlib",
  "bitmaps",
];

/** Needs qemu-img and qemu-io. */
export async function qcow2FuzzSamples(folder: string): Promise<readonly ImageSample[]> {
  const samples: ImageSample[] = [];
  for (const sample of SAMPLES.filter(({ name }) => NAMES.includes(name))) {
    samples.push({ name: `qcow2 ${sample.name}`, bytes: await readFile(makeSample(folder, sample)) });
  }
  await writeFile(join(folder, "base.img"), Buffer.alloc(4 * 1024 * 1024, 0x42));
  const backed = makeSample(folder, {
    name: "backing",
    options: "cluster_size=4k,backing_file=base.img,backing_fmt=raw",
    size: "4M",
    commands: ["write -P 1 0 64k", "write -z 128k 16k", "write -P 3 1M 5k"],
  });
  return [...samples, { name: "qcow2 backing", bytes: await readFile(backed) }];
}
