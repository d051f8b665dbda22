/** qcow2 images of qemu-img's making: every cluster size, refcount width and kind of content. */

import { type Content, KINDS, KiB, type MatrixImage, MiB, sizeFor, TiB } from "../matrix-image.ts";

const CLUSTERS = [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048].map((size) => size * KiB);
const REFCOUNT_BITS = [1, 2, 4, 8, 16, 32, 64];

const images: MatrixImage[] = CLUSTERS.flatMap((clusterSize, row) =>
  [0, 1, 2].map((column) => {
    const index = 3 * row + column;
    const contents = KINDS[(index + row + 1) % KINDS.length] as Content[];
    const refcountBits = REFCOUNT_BITS[index % REFCOUNT_BITS.length] as number;
    const old = column === 2 && contents[0] !== "zeroed";
    return {
      name: `qcow2-${clusterSize}-${old ? "v2" : `rc${refcountBits}`}-${contents[0]}`,
      format: "qcow2",
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

const specialImages: readonly MatrixImage[] = [
  { name: "qcow2-empty", format: "qcow2", virtualSize: 10 * MiB, contents: ["empty"] },
  { name: "qcow2-one-sector", format: "qcow2", virtualSize: 512, contents: ["full"] },
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
  {
    name: "qcow2-over-raw",
    format: "qcow2",
    virtualSize: 5 * MiB + 512,
    contents: ["zeroed"],
    backing: { format: "raw" },
  },
  {
    name: "qcow2-over-raw-sparse",
    format: "qcow2",
    virtualSize: 7 * MiB,
    contents: ["sparse"],
    backing: { format: "raw" },
  },
  {
    name: "qcow2-over-probed-qcow2",
    format: "qcow2",
    virtualSize: 5 * MiB,
    contents: ["fragmented"],
    backing: { format: "qcow2", isProbed: true },
  },
  {
    name: "qcow2-over-probed-v2",
    format: "qcow2",
    virtualSize: 5 * MiB,
    options: { compat: "0.10" },
    contents: ["sparse"],
    backing: { format: "raw", isProbed: true },
  },
  { name: "qcow2-mixed", format: "qcow2", virtualSize: 12 * MiB, contents: ["half-discarded", "zeroed", "sparse"] },
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
  { name: "qcow2-3-TiB", format: "qcow2", virtualSize: 3 * TiB + 1024, contents: ["far"] },
];

export const qcow2Matrix: readonly MatrixImage[] = [...images, ...specialImages];
