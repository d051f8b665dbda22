/** What is thrown where tables can't be followed, by the first finding that says so. */

import { ImageError } from "../bytes/image-error.ts";
import { imageNamed, say, type Words } from "../bytes/sentence.ts";
import type { Finding } from "./finding.ts";

export interface BrokenImage {
  readonly format: string;
  readonly path: string;
  readonly remedy?: Words;
  /** Default `corrupt`. */
  readonly kind?: "corrupt" | "out-of-bounds";
}

export function brokenMapping(
  finding: Pick<Finding, "message" | "structure" | "hostOffset" | "guestOffset"> | undefined,
  { format, path, remedy, kind = "corrupt" }: BrokenImage,
): ImageError {
  return new ImageError(kind, say`Cannot follow the mapping of ${imageNamed(path)}`, {
    because: finding?.message,
    remedy,
    format,
    path,
    structure: finding?.structure,
    hostOffset: finding?.hostOffset,
    guestOffset: finding?.guestOffset,
  });
}
