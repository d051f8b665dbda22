/** An image that qemu-img and qemu-io make, described; the conversions are proven on a matrix of them. */

/** What fills the disk, in the order of the list. */
export type Content =
  /** Nothing at all. */
  | "empty"
  /** A few writes at odd places, of odd lengths. */
  | "sparse"
  /** Every byte. */
  | "full"
  /** Every second cluster, in a shuffled order, so that the file's order is unlike the guest's. */
  | "fragmented"
  /** Every byte, then every other cluster given back (zeroed where the format knows no discard). */
  | "half-discarded"
  /** Zeros written over data and over nothing. */
  | "zeroed"
  /** Bytes without a pattern, through `qemu-img convert`. */
  | "random"
  /** The same, in compressed clusters where the format has them, with plain writes after it. */
  | "compressed"
  /** A file system with files in it, which `e2fsck -fn` passes. */
  | "ext4"
  /** A write at each end and a few in between, for disks of any size. */
  | "far";

export interface QemuImageDescription {
  readonly name: string;
  readonly format: string;
  /** Bytes of the guest's disk, a multiple of 512. */
  readonly virtualSize: number;
  /** `-o` of `qemu-img create`. */
  readonly options?: Readonly<Record<string, string | number>>;
  readonly contents: readonly Content[];
  readonly seed?: number;
  /** The file below, in the same folder; where it is probed the header does not say its format. */
  readonly backing?: { readonly format: string; readonly isProbed?: boolean };
}

export interface MatrixImage extends QemuImageDescription {
  /** `-o` of our conversion to another format, by the name of that; by default the engine chooses. */
  readonly there?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** And back. */
  readonly back?: Readonly<Record<string, string>>;
}

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const TiB = 1024 * GiB;

/** What the images of each cluster size hold by turns. */
export const KINDS: readonly Content[][] = [
  ["sparse"],
  ["full"],
  ["fragmented"],
  ["half-discarded"],
  ["zeroed", "sparse"],
  ["random"],
];

/** Some twenty to a hundred clusters, never a whole number of them. */
export function sizeFor(clusterSize: number, index: number): number {
  const clusters = clusterSize >= MiB ? 11 : clusterSize <= 4 * KiB ? 600 : 90;
  return clusters * clusterSize + 512 * (1 + (index % 7));
}
