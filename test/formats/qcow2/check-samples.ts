/** Valid qcow2 images of every shape that a check has to know, small enough that thousands of their mutants can be judged. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CheckSample } from "../kit.ts";
import { makeSample, type Qcow2Sample, run, writeTo } from "./samples.ts";

const DATA = ["write -P 1 0 20k", "write -P 2 100k 9k", "write -z 40k 16k", "write -P 3 60k 1k", "write -z 8k 4k"];

function snapshots(path: string): void {
  run("qemu-img", "snapshot", "-c", "one", path);
  writeTo(path, "write -P 11 4k 12k", "write -P 12 200k 8k");
  run("qemu-img", "snapshot", "-c", "two", path);
  writeTo(path, "write -P 13 0 4k");
}

function bitmaps(path: string): void {
  run("qemu-img", "bitmap", "--add", "-g", "512", path, "one");
  run("qemu-img", "bitmap", "--add", path, "two");
  writeTo(path, "write 50k 16k");
  run("qemu-img", "bitmap", "--disable", path, "two");
}

function compressed(options: string): (path: string) => void {
  return (path) => {
    run("qemu-img", "convert", "-c", "-O", "qcow2", "-o", options, path, `${path}.compressed`);
    run("mv", `${path}.compressed`, path);
    writeTo(path, "write -P 7 16k 4k");
  };
}

const widths = [1, 2, 4, 8, 16, 32, 64].map(
  (bits): Qcow2Sample => ({
    name: `refcounts-of-${bits}`,
    options: `cluster_size=${bits === 64 ? 512 : 1024},refcount_bits=${bits}`,
    size: "256k",
    commands: DATA,
  }),
);

const SAMPLES: readonly Qcow2Sample[] = [
  ...widths,
  { name: "plain-4k", options: "cluster_size=4k", size: "1M", commands: DATA },
  { name: "version-2", options: "compat=0.10,cluster_size=512", size: "256k", commands: DATA },
  { name: "version-2-4k", options: "compat=0.10,cluster_size=4k", size: "1M", commands: DATA },
  { name: "large-clusters", options: "cluster_size=64k", size: "4M", commands: DATA },
  { name: "largest-clusters", options: "cluster_size=2M", size: "6M", commands: ["write -P 1 0 4k"] },
  { name: "several-tables", options: "cluster_size=512", size: "1M", commands: [...DATA, "write -P 9 900k 8k"] },
  { name: "subclusters", options: "extended_l2=on,cluster_size=16k", size: "1M", commands: [...DATA, "discard 0 512"] },
  { name: "zlib", options: "", size: "256k", commands: DATA, afterwards: compressed("cluster_size=4k") },
  {
    name: "zstd",
    options: "",
    size: "256k",
    commands: DATA,
    afterwards: compressed("cluster_size=4k,compression_type=zstd"),
  },
  {
    name: "subclusters-zlib",
    options: "",
    size: "256k",
    commands: DATA,
    afterwards: compressed("extended_l2=on,cluster_size=16k"),
  },
  { name: "snapshots", options: "cluster_size=4k", size: "1M", commands: DATA, afterwards: snapshots },
  {
    name: "snapshots-2-bits",
    options: "cluster_size=1k,refcount_bits=2",
    size: "256k",
    commands: DATA,
    afterwards: snapshots,
  },
  {
    name: "snapshots-version-2",
    options: "cluster_size=1k,compat=0.10",
    size: "256k",
    commands: DATA,
    afterwards: snapshots,
  },
  { name: "bitmaps", options: "cluster_size=1k", size: "1M", commands: DATA, afterwards: bitmaps },
  {
    name: "backing",
    options: "cluster_size=4k,backing_file=base.raw,backing_fmt=raw",
    size: "1M",
    commands: ["write -P 1 0 20k", "write -z 40k 16k"],
  },
  { name: "data-file", options: "cluster_size=4k,data_file=IMAGE.data", size: "1M", commands: DATA },
  { name: "luks", options: "", size: "256k", afterwards: encrypted("luks"), openWords: wordsWithSecret() },
  { name: "aes", options: "", size: "256k", afterwards: encrypted("aes"), openWords: wordsWithSecret() },
];

function wordsWithSecret(): string[] {
  return [
    "--object",
    "secret,id=s,data=abc",
    "--image-opts",
    "driver=qcow2,encrypt.key-secret=s,file.driver=file,file.filename=IMAGE",
  ];
}

/** qemu-img measures the CPU for LUKS and gives up where it can't. */
function untilItCan(make: () => void): void {
  for (let turn = 0; ; turn++) {
    try {
      make();
      return;
    } catch (error) {
      if (turn === 30 || !String(error).includes("CPU usage")) throw error;
    }
  }
}

function encrypted(method: "luks" | "aes"): (path: string) => void {
  return (path) => {
    const cheap = method === "luks" ? ",encrypt.iter-time=10" : "";
    const options = `cluster_size=4k,encrypt.format=${method},encrypt.key-secret=s${cheap}`;
    const words = ["create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=abc", "-o", options, path, "256k"];
    untilItCan(() => run("qemu-img", ...words));
    const [, , , image] = wordsWithSecret();
    const opening = ["--object", "secret,id=s,data=abc", "--image-opts", (image as string).replace("IMAGE", path)];
    run("qemu-io", ...opening, "-c", "write -P 1 0 20k");
  };
}

/** Makes all samples in `folder`, where what they need beside them stays; needs qemu-img and qemu-io. */
export async function qcow2CheckSamples(folder: string): Promise<readonly CheckSample[]> {
  const samples: CheckSample[] = [];
  await writeFile(join(folder, "base.raw"), Buffer.alloc(512 * 1024, 0x42));
  for (const sample of SAMPLES) {
    const options = sample.options.replace("IMAGE", join(folder, sample.name));
    const path = makeSample(folder, { ...sample, options });
    const openWords = sample.openWords ?? ["-f", "qcow2", "IMAGE"];
    samples.push({ name: sample.name, bytes: await readFile(path), openWords });
  }
  return samples;
}
