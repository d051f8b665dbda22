/** Sparse VMDKs of qemu-img's making: every kind of content, both sides of a whole grain, more tables than one. */

import { type Content, GiB, KINDS, KiB, type MatrixImage, MiB } from "../../matrix-image.ts";

const ONE_FILE = { subformat: "monolithicSparse" };
/** As `sizeFor` makes it for clusters of 64 KiB. */
const SIZE = 90 * 64 * KiB;

const images: readonly MatrixImage[] = KINDS.map((contents, index) => ({
  name: `vmdk-${(contents as Content[]).join("-")}`,
  format: "vmdk",
  virtualSize: SIZE + 512 * (1 + index),
  options: { ...ONE_FILE, adapter_type: index % 2 === 0 ? "ide" : "lsilogic" },
  contents,
  seed: index + 1,
}));

const specialImages: readonly MatrixImage[] = [
  { name: "vmdk-empty", format: "vmdk", virtualSize: 10 * MiB, options: ONE_FILE, contents: ["empty"] },
  { name: "vmdk-ext4", format: "vmdk", virtualSize: 24 * MiB, options: ONE_FILE, contents: ["ext4"] },
  {
    name: "vmdk-zeroed-grains",
    format: "vmdk",
    virtualSize: 6 * MiB + 512,
    options: { ...ONE_FILE, zeroed_grain: "on" },
    contents: ["fragmented", "zeroed"],
    there: { qcow2: { cluster_size: "4k" } },
  },
  {
    name: "vmdk-stream",
    format: "vmdk",
    virtualSize: 6 * MiB,
    options: { subformat: "streamOptimized" },
    contents: ["random"],
  },
  { name: "vmdk-100-GiB", format: "vmdk", virtualSize: 100 * GiB, options: ONE_FILE, contents: ["far"] },
];

export const sparseMatrix: readonly MatrixImage[] = [...images, ...specialImages];
