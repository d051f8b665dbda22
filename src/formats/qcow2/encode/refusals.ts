/** Images in which nothing can be stored compressed, each with the reason and what to do. */

import { canDeflate, missingMethod } from "../../../image/guest/deflate.ts";
import type { Qcow2Header } from "../header/header.ts";
import { cannotRearrange } from "../rearrange/rearrange-error.ts";
import { MIN_BITS_FOR_COMPRESSED, narrowRefcounts } from "../tables/refcount.ts";

/** @throws ImageError `unsupported`. */
export function refuseEncoding(path: string, header: Qcow2Header): void {
  const { encryption, refcountBits, compression } = header;
  if (encryption !== undefined) {
    const because = `it is encrypted (${encryption}), and nothing encrypted is compressed`;
    throw cannotRearrange("unsupported", path, because);
  }
  if (refcountBits < MIN_BITS_FOR_COMPRESSED) throw cannotRearrange("unsupported", path, narrowRefcounts(refcountBits));
  if (!canDeflate(compression)) throw cannotRearrange("unsupported", path, missingMethod(compression));
}
