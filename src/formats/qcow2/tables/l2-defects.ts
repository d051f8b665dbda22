/** What can be wrong with an L2 entry, in our words and in qemu-img's (learned by running qemu-img 7.2 on such entries). */

import { L2Mask } from "./l2-entry.ts";
import type { L2Defect } from "./l2-table-scan.ts";
import { hexOfHalves } from "./table-entry.ts";

interface DefectWords {
  readonly message: string;
  /** What qemu-img prints, `%e` standing for the entry, `%h` for its host offset, `%i` for its index. */
  readonly line?: string;
}

export const L2_DEFECTS: Readonly<Record<L2Defect | "compressed-with-data-file", DefectWords>> = {
  "reserved-bits": { message: "reserved bits are set", line: "ERROR found l2 entry with reserved bits set: %e" },
  "entry-unaligned": {
    message: "its host offset is no multiple of the cluster size",
    line: "ERROR offset=%h: Data cluster is not properly aligned; L2 entry corrupted.",
  },
  "zero-flag-in-version-2": { message: "a zero cluster in a version 2 image" },
  "zero-flag-with-subclusters": { message: "an extended entry with a zero flag, which such entries do not have" },
  "copied-compressed": {
    message: "a compressed cluster with the COPIED flag",
    line: "ERROR: coffset=0x%h: copied flag must never be set for compressed clusters",
  },
  "compressed-subclusters": {
    message: "a compressed cluster with a subcluster bitmap",
    line: "ERROR compressed cluster %i with non-zero subcluster allocation bitmap, entry=0x%e",
  },
  "compressed-with-data-file": {
    message: "a compressed cluster, which an image with a data file can't have",
    line: "ERROR compressed cluster %i with data file, entry=0x%e",
  },
  "invalid-subclusters": {
    message: "subclusters are allocated and zero at once",
    line: "ERROR offset=%h: Allocated cluster has corrupted subcluster allocation bitmap",
  },
  "subclusters-without-cluster": {
    message: "subclusters are allocated, but the cluster is not",
    line: "ERROR: Unallocated cluster has non-zero subcluster allocation map",
  },
};

export const PREALLOCATED_UNALIGNED =
  "ERROR offset=%h: Preallocated cluster is not properly aligned; L2 entry corrupted.";

/** The entry that is told of. */
interface ToldEntry {
  readonly high: number;
  readonly low: number;
  readonly index: number;
  /** Its host offset in hexadecimal: of a compressed one it may need more than 53 bits. */
  readonly place: string;
}

/** qemu-img's words with the entry in them. */
export function spelledOut(words: string, { high, low, index, place }: ToldEntry): string {
  // qemu-img tells a compressed entry without its COPIED flag, about which it has a line of its own.
  const told = words.includes("%i") ? high & ~L2Mask.copiedHigh : high;
  return words.replace("%e", hexOfHalves(told, low)).replace("%h", place).replace("%i", String(index));
}
