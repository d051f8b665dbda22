/** Images in which nothing can be stored compressed, each with the reason and what to do. */

import { option, say, type Words } from "../../../bytes/sentence.ts";
import type { Qcow2Header } from "../header/header.ts";
import { cannotRearrange } from "../rearrange/rearrange-error.ts";

/** Narrower refcounts can't say how many streams may lie in one host cluster. */
const MIN_REFCOUNT_BITS = 16;

/** @throws ImageError `unsupported`. */
export function refuseEncoding(path: string, header: Qcow2Header): void {
  const refuse = (because: string, remedy: Words) => {
    throw cannotRearrange("unsupported", path, because, { remedy });
  };
  if (header.encryption !== undefined)
    refuse(`it is encrypted (${header.encryption}), which is never compressed`, "make a copy with qemu-img convert");
  if (header.hasSubclusters)
    refuse("its clusters have subclusters (extended L2)", "make a compressed copy with qemu-img convert -c");
  if (header.refcountBits < MIN_REFCOUNT_BITS) {
    const width = `refcounts of ${header.refcountBits} bits can't count the compressed clusters that share a place`;
    refuse(width, say`widen them on the way with ${option("target-format-options", "refcount_bits=16")}`);
  }
}
