/** qcow2 images of every kind, made by qemu-img and qemu-io, for comparison with what these say of them. */

import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";

export interface Qcow2Sample {
  readonly name: string;
  /** `-o` of qemu-img create. */
  readonly options: string;
  readonly size: string;
  /** qemu-io commands. */
  readonly commands?: readonly string[];
  /** Done after the commands. */
  readonly afterwards?: (path: string) => void;
  /** What qemu-img needs to open it, `IMAGE` standing for its path. */
  readonly openWords?: readonly string[];
}

/** The words that open a sample with qemu-img. */
export function wordsToOpen(sample: Qcow2Sample, path: string): string[] {
  return (sample.openWords ?? ["-f", "qcow2", "IMAGE"]).map((word) => word.replace("IMAGE", path));
}

export function run(tool: string, ...words: string[]): string {
  return execFileSync(tool, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** What a tool prints as JSON, whatever its exit code; undefined where it prints none. */
export function runForJson(tool: string, ...words: string[]): Record<string, number> | undefined {
  const { stdout, error } = spawnSync(tool, words, { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (error !== undefined) throw error;
  return stdout.startsWith("{") ? JSON.parse(stdout) : undefined;
}

export function writeTo(path: string, ...commands: string[]): void {
  run("qemu-io", "-f", "qcow2", ...commands.flatMap((command) => ["-c", command]), path);
}

export function makeSample(folder: string, { name, options, size, commands = [], afterwards }: Qcow2Sample): string {
  const path = join(folder, `${name}.qcow2`);
  run("qemu-img", "create", "-q", "-f", "qcow2", ...(options === "" ? [] : ["-o", options]), path, size);
  if (commands.length > 0) writeTo(path, ...commands);
  afterwards?.(path);
  return path;
}

/** Makes the image anew as a compressed copy of itself. */
function compressed(options: string): (path: string) => void {
  return (path) => {
    run("qemu-img", "convert", "-c", "-O", "qcow2", "-o", options, path, `${path}.compressed`);
    run("mv", `${path}.compressed`, path);
  };
}

const MIXED = [
  "write -P 1 0 200k",
  "write -P 2 1M 64k",
  "write -P 3 700k 30k",
  "write -z 2M 192k",
  "write -z 64k 64k",
  "discard 1M 32k",
  "write -P 4 3M 300k",
  "write -P 5 2560k 1k",
];

export const SAMPLES: readonly Qcow2Sample[] = [
  { name: "empty", options: "", size: "4M" },
  { name: "mixed", options: "", size: "4M", commands: MIXED },
  { name: "mixed-v2", options: "compat=0.10", size: "4M", commands: MIXED },
  { name: "cluster-512", options: "cluster_size=512", size: "4M", commands: MIXED },
  { name: "cluster-1k-refcount-1", options: "cluster_size=1k,refcount_bits=1", size: "4M", commands: MIXED },
  { name: "cluster-4k-refcount-2", options: "cluster_size=4k,refcount_bits=2", size: "4M", commands: MIXED },
  { name: "cluster-4k-refcount-4", options: "cluster_size=4k,refcount_bits=4", size: "4M", commands: MIXED },
  { name: "cluster-4k-refcount-8", options: "cluster_size=4k,refcount_bits=8", size: "4M", commands: MIXED },
  { name: "cluster-4k-refcount-32", options: "cluster_size=4k,refcount_bits=32", size: "4M", commands: MIXED },
  { name: "cluster-4k-refcount-64", options: "cluster_size=4k,refcount_bits=64", size: "4M", commands: MIXED },
  { name: "cluster-512-refcount-64", options: "cluster_size=512,refcount_bits=64", size: "4M", commands: MIXED },
  { name: "cluster-2m", options: "cluster_size=2M", size: "40M", commands: MIXED },
  { name: "lazy", options: "lazy_refcounts=on", size: "4M", commands: MIXED },
  {
    name: "odd-size",
    options: "cluster_size=4k",
    size: "3276288",
    commands: ["write -P 1 0 64k", "write -P 9 3275776 512"],
  },
  {
    name: "several-l2",
    options: "",
    size: "3G",
    commands: [...MIXED, "write 600M 256k", "write 2900M 64k", "write -z 1G 1M"],
  },
  { name: "zlib", options: "", size: "4M", commands: MIXED, afterwards: compressed("cluster_size=64k") },
  { name: "zlib-4k", options: "", size: "4M", commands: MIXED, afterwards: compressed("cluster_size=4k,compat=0.10") },
  { name: "zlib-2m", options: "", size: "9M", commands: MIXED, afterwards: compressed("cluster_size=2M") },
  {
    name: "zstd",
    options: "",
    size: "4M",
    commands: MIXED,
    afterwards: compressed("cluster_size=64k,compression_type=zstd"),
  },
  {
    name: "zlib-then-written",
    options: "",
    size: "4M",
    commands: MIXED,
    afterwards: (path) => {
      compressed("cluster_size=16k")(path);
      writeTo(path, "write -P 7 16k 40k", "write -z 3M 64k", "write -c -P 8 3600k 16k");
    },
  },
  { name: "subclusters", options: "extended_l2=on", size: "4M", commands: MIXED },
  {
    name: "subclusters-16k",
    options: "extended_l2=on,cluster_size=16k",
    size: "4M",
    commands: [...MIXED, "discard 0 8k"],
  },
  { name: "subclusters-2m", options: "extended_l2=on,cluster_size=2M", size: "64M", commands: MIXED },
  { name: "subclusters-zlib", options: "", size: "4M", commands: MIXED, afterwards: compressed("extended_l2=on") },
  {
    name: "snapshots",
    options: "cluster_size=4k",
    size: "8M",
    commands: MIXED,
    afterwards: (path) => {
      run("qemu-img", "snapshot", "-c", "one", path);
      writeTo(path, "write -P 11 64k 64k", "write -P 12 5M 8k");
      run("qemu-img", "snapshot", "-c", "two", path);
      writeTo(path, "write -P 13 0 4k", "write -z 3M 16k");
      run("qemu-img", "snapshot", "-d", "one", path);
      run("qemu-img", "snapshot", "-c", "three", path);
    },
  },
  {
    name: "snapshots-zlib",
    options: "cluster_size=16k",
    size: "8M",
    commands: MIXED,
    afterwards: (path) => {
      compressed("cluster_size=16k")(path);
      run("qemu-img", "snapshot", "-c", "one", path);
      writeTo(path, "write -P 11 64k 64k");
    },
  },
  {
    name: "bitmaps",
    options: "cluster_size=4k",
    size: "64M",
    commands: MIXED,
    afterwards: (path) => {
      run("qemu-img", "bitmap", "--add", path, "one");
      run("qemu-img", "bitmap", "--add", "-g", "512", "--enable", path, "two");
      writeTo(path, "write 5M 256k");
      run("qemu-img", "bitmap", "--disable", path, "two");
    },
  },
  {
    name: "aes",
    options: "",
    size: "4M",
    openWords: [
      "--object",
      "secret,id=s,data=abc",
      "--image-opts",
      "driver=qcow2,encrypt.key-secret=s,file.driver=file,file.filename=IMAGE",
    ],
    afterwards: (path) => {
      const options = "encrypt.format=aes,encrypt.key-secret=s";
      run("qemu-img", "create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=abc", "-o", options, path, "4M");
    },
  },
];
