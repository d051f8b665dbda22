/** Valid images of many shapes to begin from: QED byte by byte, qcow2 by qemu-img, all small. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FieldMap, fieldMapOf } from "../formats/qcow2/field-sites.ts";
import { makeSample, SAMPLES } from "../formats/qcow2/samples.ts";
import { buildQedImage, type QedImageDescription } from "../formats/qed/builder.ts";

export interface FuzzSample {
  readonly name: string;
  readonly format: "qed" | "qcow2";
  readonly bytes: Buffer;
  readonly fields: FieldMap;
}

const MIXED = { virtualSize: 40 * 4096, data: [0, 1, 5, 9, 17, 39], zero: [3, 20] } as const;

const QED: Readonly<Record<string, QedImageDescription>> = {
  "qed plain": MIXED,
  "qed empty": { virtualSize: 1024 * 1024 },
  "qed table size 1": { ...MIXED, tableSize: 1, virtualSize: 600 * 4096, data: [0, 1, 511, 512, 599] },
  "qed shuffled, leaks": { ...MIXED, seed: 3, shuffleTables: true, leaks: 3 },
  "qed tables last": { ...MIXED, tables: "last" },
  "qed header of two clusters": { ...MIXED, headerSize: 2, staleHeaderByte: 0xcc },
  "qed several tables": { virtualSize: 5000 * 4096, data: [0, 1023, 1024, 3000, 4999], zero: [2000] },
  "qed backing": { ...MIXED, backingName: "base.img", backingIsRaw: true },
  "qed probed backing": { ...MIXED, backingName: "base.img", backingNameAt: 200 },
  "qed odd size, tail": { ...MIXED, virtualSize: 40 * 4096 - 1536, tail: 700 },
  "qed 64k": { ...MIXED, clusterSize: 65_536, virtualSize: 16 * 65_536, data: [0, 3, 9], zero: [1] },
  "qed unknown bits": { ...MIXED, compatFeatures: 5n, autoclearFeatures: 9n },
};

const QCOW2 = [
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

/** Makes all samples; needs qemu-img and qemu-io. */
export async function makeFuzzSamples(): Promise<readonly FuzzSample[]> {
  const folder = await mkdtemp(join(tmpdir(), "inplace-fuzz-"));
  const samples: FuzzSample[] = [];
  const add = (name: string, format: "qed" | "qcow2", bytes: Buffer) =>
    samples.push({ name, format, bytes, fields: fieldMapOf(bytes) });
  try {
    for (const [name, description] of Object.entries(QED)) {
      add(name, "qed", Buffer.from(buildQedImage(description).bytes));
    }
    for (const sample of SAMPLES.filter(({ name }) => QCOW2.includes(name))) {
      add(`qcow2 ${sample.name}`, "qcow2", await readFile(makeSample(folder, sample)));
    }
    await writeFile(join(folder, "base.img"), Buffer.alloc(4 * 1024 * 1024, 0x42));
    const backed = makeSample(folder, {
      name: "backing",
      options: "cluster_size=4k,backing_file=base.img,backing_fmt=raw",
      size: "4M",
      commands: ["write -P 1 0 64k", "write -z 128k 16k", "write -P 3 1M 5k"],
    });
    add("qcow2 backing", "qcow2", await readFile(backed));
  } finally {
    await rm(folder, { recursive: true });
  }
  return samples;
}
