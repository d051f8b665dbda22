/** QED images of qemu-img's making: every cluster size, table size and kind of content. */

import { type Content, GiB, KINDS, KiB, type MatrixImage, MiB, sizeFor, TiB } from "../matrix-image.ts";

const CLUSTERS = [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096].map((size) => size * KiB);
const TABLES = [2, 4, 8, 16];

/** QEMU opens no QED whose tables could map 2^64 bytes. */
function isOpenable(clusterSize: number, tableSize: number): boolean {
  return ((clusterSize * tableSize) / 8) ** 2 * clusterSize < 2 ** 64;
}

const images: MatrixImage[] = CLUSTERS.flatMap((clusterSize, row) =>
  [0, 1, 2].map((column) => {
    const index = 3 * row + column;
    const tables = TABLES.filter((size) => isOpenable(clusterSize, size));
    const tableSize = tables[index % tables.length] as number;
    const contents = KINDS[(index + row) % KINDS.length] as Content[];
    return {
      name: `qed-${clusterSize}-${tableSize}-${contents[0]}`,
      format: "qed",
      virtualSize: sizeFor(clusterSize, index),
      options: { cluster_size: clusterSize, table_size: tableSize },
      contents,
      seed: index + 1,
    };
  }),
);

const specialImages: readonly MatrixImage[] = [
  { name: "qed-empty", format: "qed", virtualSize: 10 * MiB, contents: ["empty"] },
  { name: "qed-one-sector", format: "qed", virtualSize: 512, contents: ["full"] },
  { name: "qed-ext4", format: "qed", virtualSize: 24 * MiB, contents: ["ext4"] },
  {
    name: "qed-over-raw",
    format: "qed",
    virtualSize: 5 * MiB + 512,
    contents: ["sparse", "zeroed"],
    backing: { format: "raw" },
  },
  {
    name: "qed-over-probed-qcow2",
    format: "qed",
    virtualSize: 5 * MiB,
    contents: ["sparse"],
    backing: { format: "qcow2", isProbed: true },
  },
  {
    name: "qed-over-probed-raw",
    format: "qed",
    virtualSize: 4 * MiB,
    contents: ["fragmented"],
    backing: { format: "raw", isProbed: true },
  },
  { name: "qed-mixed", format: "qed", virtualSize: 12 * MiB, contents: ["fragmented", "zeroed", "sparse"] },
  {
    name: "qed-to-4k",
    format: "qed",
    virtualSize: 6 * MiB + 512,
    contents: ["fragmented"],
    there: { qcow2: { cluster_size: "4k" } },
    back: { cluster_size: "64k" },
  },
  {
    name: "qed-to-512",
    format: "qed",
    virtualSize: 2 * MiB,
    options: { cluster_size: 8192 },
    contents: ["sparse", "zeroed"],
    there: { qcow2: { cluster_size: "512", refcount_bits: "1" } },
    back: { cluster_size: "4k", table_size: "2" },
  },
  {
    name: "qed-to-larger",
    format: "qed",
    virtualSize: 6 * MiB + 512,
    options: { cluster_size: 4096 },
    contents: ["fragmented"],
    there: { qcow2: { cluster_size: "128k", refcount_bits: "64" } },
    back: { cluster_size: "32k", table_size: "8" },
  },
  {
    name: "qed-to-v2",
    format: "qed",
    virtualSize: 6 * MiB + 512,
    contents: ["zeroed", "sparse"],
    there: { qcow2: { compat: "0.10" } },
  },
  {
    name: "qed-to-lazy",
    format: "qed",
    virtualSize: 6 * MiB + 512,
    contents: ["sparse"],
    there: { qcow2: { lazy_refcounts: "on", refcount_bits: "8" } },
    back: { table_size: "16" },
  },
  {
    name: "qed-over-raw-to-larger",
    format: "qed",
    virtualSize: 5 * MiB + 512,
    options: { cluster_size: 16 * KiB },
    contents: ["full"],
    backing: { format: "raw" },
    there: { qcow2: { cluster_size: "64k" } },
  },
  { name: "qed-3-TiB", format: "qed", virtualSize: 3 * TiB + 512, contents: ["far"] },
  {
    name: "qed-100-GiB",
    format: "qed",
    virtualSize: 100 * GiB,
    options: { cluster_size: 32 * KiB, table_size: 16 },
    contents: ["far"],
  },
];

export const qedMatrix: readonly MatrixImage[] = [...images, ...specialImages];
