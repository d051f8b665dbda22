/** Why a VHD can't be opened: one wording for all that its structures can break. */

import { ImageError, type ImageErrorKind } from "../../bytes/image-error.ts";
import { imageNamed, placeAt, say, type Words } from "../../bytes/sentence.ts";

export type Refuse = (kind: ImageErrorKind, because: Words, hostOffset: number, remedy?: Words) => ImageError;

/** `structure` is what the refusals are of. */
export function refusalsOf(path: string, structure: string): Refuse {
  return (kind, because, hostOffset, remedy = undefined) =>
    new ImageError(kind, say`Cannot open ${imageNamed(path)}`, {
      because: say`${because} (at host offset ${placeAt(hostOffset)})`,
      remedy,
      format: "vpc",
      path,
      structure,
      hostOffset,
    });
}
