/** qcows (version 1) of qemu-img's making, which has one size of clusters for them: every kind of content. */

import { type Content, KINDS, type MatrixImage, MiB } from "../matrix-image.ts";

const images: MatrixImage[] = KINDS.map((contents: Content[], index) => ({
  name: `qcow-${contents[0]}`,
  format: "qcow",
  virtualSize: 600 * 4096 + 512 * (1 + index),
  contents,
  seed: index + 1,
}));

const specialImages: readonly MatrixImage[] = [
  { name: "qcow-empty", format: "qcow", virtualSize: 10 * MiB, contents: ["empty"] },
  { name: "qcow-one-sector", format: "qcow", virtualSize: 512, contents: ["full"] },
  { name: "qcow-ext4", format: "qcow", virtualSize: 8 * MiB, contents: ["ext4"] },
  {
    name: "qcow-to-larger",
    format: "qcow",
    virtualSize: 5 * MiB + 512,
    contents: ["fragmented", "zeroed"],
    there: { qcow2: { cluster_size: "64k" }, qed: { cluster_size: "64k" } },
    back: { cluster_size: "64k" },
  },
  {
    name: "qcow-to-512",
    format: "qcow",
    virtualSize: 2 * MiB,
    contents: ["sparse"],
    there: { qcow2: { cluster_size: "512", refcount_bits: "1" } },
    back: { cluster_size: "8k" },
  },
];

export const qcowMatrix: readonly MatrixImage[] = [...images, ...specialImages];
