/** The images that the conversions are proven on: every cluster size, table size, refcount width and kind of content. */

import type { Content, QemuImageDescription } from "../../support/qemu-images.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const TiB = 1024 * GiB;

export interface MatrixImage extends QemuImageDescription {
  /** `-o` of our conversion to the other format and back; by default the engine chooses. */
  readonly there?: Readonly<Record<string, string>>;
  readonly back?: Readonly<Record<string, string>>;
}

const QED_CLUSTERS = [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096].map((size) => size * KiB);
const QED_TABLES = [2, 4, 8, 16];
const QCOW2_CLUSTERS = [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048].map((size) => size * KiB);
const REFCOUNT_BITS = [1, 2, 4, 8, 16, 32, 64];
const KINDS: readonly Content[][] = [
  ["sparse"],
  ["full"],
  ["fragmented"],
  ["half-discarded"],
  ["zeroed", "sparse"],
  ["random"],
];

/** Some twenty to a hundred clusters, never a whole number of them. */
function sizeFor(clusterSize: number, index: number): number {
  const clusters = clusterSize >= MiB ? 11 : clusterSize <= 4 * KiB ? 600 : 90;
  return clusters * clusterSize + 512 * (1 + (index % 7));
}

/** QEMU opens no QED whose tables could map 2^64 bytes. */
function isOpenable(clusterSize: number, tableSize: number): boolean {
  return ((clusterSize * tableSize) / 8) ** 2 * clusterSize < 2 ** 64;
}

const qedImages: MatrixImage[] = QED_CLUSTERS.flatMap((clusterSize, row) =>
  [0, 1, 2].map((column) => {
    const index = 3 * row + column;
    const tables = QED_TABLES.filter((size) => isOpenable(clusterSize, size));
    const tableSize = tables[index % tables.length] as number;
    const contents = KINDS[(index + row) % KINDS.length] as Content[];
    return {
      name: `qed-${clusterSize}-${tableSize}-${contents[0]}`,
      format: "qed" as const,
      virtualSize: sizeFor(clusterSize, index),
      options: { cluster_size: clusterSize, table_size: tableSize },
      contents,
      seed: index + 1,
    };
  }),
);

const qcow2Images: MatrixImage[] = QCOW2_CLUSTERS.flatMap((clusterSize, row) =>
  [0, 1, 2].map((column) => {
    const index = 3 * row + column;
    const contents = KINDS[(index + row + 1) % KINDS.length] as Content[];
    const refcountBits = REFCOUNT_BITS[index % REFCOUNT_BITS.length] as number;
    const old = column === 2 && contents[0] !== "zeroed";
    return {
      name: `qcow2-${clusterSize}-${old ? "v2" : `rc${refcountBits}`}-${contents[0]}`,
      format: "qcow2" as const,
      virtualSize: sizeFor(clusterSize, index),
      options: {
        cluster_size: clusterSize,
        ...(old ? { compat: "0.10" } : { refcount_bits: refcountBits, lazy_refcounts: index % 2 ? "on" : "off" }),
      },
      contents,
      seed: 100 + index,
    };
  }),
);

const specialImages: MatrixImage[] = [
  { name: "qed-empty", format: "qed", virtualSize: 10 * MiB, contents: ["empty"] },
  { name: "qcow2-empty", format: "qcow2", virtualSize: 10 * MiB, contents: ["empty"] },
  { name: "qed-one-sector", format: "qed", virtualSize: 512, contents: ["full"] },
  { name: "qcow2-one-sector", format: "qcow2", virtualSize: 512, contents: ["full"] },
  { name: "qed-ext4", format: "qed", virtualSize: 24 * MiB, contents: ["ext4"] },
  { name: "qcow2-ext4", format: "qcow2", virtualSize: 24 * MiB + 4096, contents: ["ext4"] },
  {
    name: "qcow2-ext4-512",
    format: "qcow2",
    virtualSize: 8 * MiB,
    options: { cluster_size: 512 },
    contents: ["ext4"],
  },
  { name: "qcow2-zlib", format: "qcow2", virtualSize: 6 * MiB + 512, contents: ["compressed"] },
  {
    name: "qcow2-zstd",
    format: "qcow2",
    virtualSize: 6 * MiB + 1024,
    options: { compression_type: "zstd" },
    contents: ["compressed"],
  },
  {
    name: "qcow2-zlib-4k",
    format: "qcow2",
    virtualSize: 3 * MiB,
    options: { cluster_size: 4096 },
    contents: ["compressed"],
  },
  {
    name: "qcow2-zlib-2M",
    format: "qcow2",
    virtualSize: 21 * MiB,
    options: { cluster_size: 2 * MiB },
    contents: ["compressed"],
  },
  {
    name: "qcow2-zstd-512",
    format: "qcow2",
    virtualSize: MiB,
    options: { cluster_size: 512, compression_type: "zstd" },
    contents: ["compressed"],
  },
  {
    name: "qcow2-extended",
    format: "qcow2",
    virtualSize: 8 * MiB + 512,
    options: { extended_l2: "on" },
    contents: ["fragmented", "sparse"],
  },
  {
    name: "qcow2-extended-zeroed",
    format: "qcow2",
    virtualSize: 9 * MiB,
    options: { extended_l2: "on", cluster_size: 16 * KiB },
    contents: ["sparse", "zeroed"],
  },
  {
    name: "qcow2-extended-2M",
    format: "qcow2",
    virtualSize: 30 * MiB,
    options: { extended_l2: "on", cluster_size: 2 * MiB },
    contents: ["sparse"],
  },
  { name: "qed-over-raw", format: "qed", virtualSize: 5 * MiB + 512, contents: ["sparse", "zeroed"], backing: "raw" },
  {
    name: "qed-over-probed-qcow2",
    format: "qed",
    virtualSize: 5 * MiB,
    contents: ["sparse"],
    backing: "probed-qcow2",
  },
  { name: "qed-over-probed-raw", format: "qed", virtualSize: 4 * MiB, contents: ["fragmented"], backing: "probed-raw" },
  { name: "qcow2-over-raw", format: "qcow2", virtualSize: 5 * MiB + 512, contents: ["zeroed"], backing: "raw" },
  { name: "qcow2-over-raw-sparse", format: "qcow2", virtualSize: 7 * MiB, contents: ["sparse"], backing: "raw" },
  {
    name: "qcow2-over-probed-qcow2",
    format: "qcow2",
    virtualSize: 5 * MiB,
    contents: ["fragmented"],
    backing: "probed-qcow2",
  },
  {
    name: "qcow2-over-probed-v2",
    format: "qcow2",
    virtualSize: 5 * MiB,
    options: { compat: "0.10" },
    contents: ["sparse"],
    backing: "probed-raw",
  },
  { name: "qcow2-mixed", format: "qcow2", virtualSize: 12 * MiB, contents: ["half-discarded", "zeroed", "sparse"] },
  { name: "qed-mixed", format: "qed", virtualSize: 12 * MiB, contents: ["fragmented", "zeroed", "sparse"] },
  {
    name: "qcow2-preallocated",
    format: "qcow2",
    virtualSize: 10 * MiB,
    options: { preallocation: "metadata" },
    contents: ["sparse"],
  },
  {
    name: "qcow2-falloc",
    format: "qcow2",
    virtualSize: 6 * MiB,
    options: { preallocation: "falloc", cluster_size: 16 * KiB },
    contents: ["fragmented"],
  },
  {
    name: "qed-to-4k",
    format: "qed",
    virtualSize: 6 * MiB + 512,
    contents: ["fragmented"],
    there: { cluster_size: "4k" },
    back: { cluster_size: "64k" },
  },
  {
    name: "qed-to-512",
    format: "qed",
    virtualSize: 2 * MiB,
    options: { cluster_size: 8192 },
    contents: ["sparse", "zeroed"],
    there: { cluster_size: "512", refcount_bits: "1" },
    back: { cluster_size: "4k", table_size: "2" },
  },
  {
    name: "qed-to-larger",
    format: "qed",
    virtualSize: 6 * MiB + 512,
    options: { cluster_size: 4096 },
    contents: ["fragmented"],
    there: { cluster_size: "128k", refcount_bits: "64" },
    back: { cluster_size: "32k", table_size: "8" },
  },
  {
    name: "qed-to-v2",
    format: "qed",
    virtualSize: 6 * MiB + 512,
    contents: ["zeroed", "sparse"],
    there: { compat: "0.10" },
  },
  {
    name: "qed-to-lazy",
    format: "qed",
    virtualSize: 6 * MiB + 512,
    contents: ["sparse"],
    there: { lazy_refcounts: "on", refcount_bits: "8" },
    back: { table_size: "16" },
  },
  {
    name: "qed-over-raw-to-larger",
    format: "qed",
    virtualSize: 5 * MiB + 512,
    options: { cluster_size: 16 * KiB },
    contents: ["full"],
    backing: "raw",
    there: { cluster_size: "64k" },
  },
  { name: "qed-3-TiB", format: "qed", virtualSize: 3 * TiB + 512, contents: ["far"] },
  { name: "qcow2-3-TiB", format: "qcow2", virtualSize: 3 * TiB + 1024, contents: ["far"] },
  {
    name: "qed-100-GiB",
    format: "qed",
    virtualSize: 100 * GiB,
    options: { cluster_size: 32 * KiB, table_size: 16 },
    contents: ["far"],
  },
];

export const imageMatrix: readonly MatrixImage[] = [...qedImages, ...qcow2Images, ...specialImages];
