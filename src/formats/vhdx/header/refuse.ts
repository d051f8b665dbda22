/** How a VHDX is refused: by what is wrong and where. */

import { ImageError, type ImageErrorKind } from "../../../bytes/image-error.ts";
import { imageNamed, placeAt, say, type Words } from "../../../bytes/sentence.ts";

export type Refuse = (
  kind: ImageErrorKind,
  because: Words,
  structure: string,
  hostOffset: number,
  remedy?: Words,
) => ImageError;

/** Of the image at `path`. */
export function refuserOf(path: string): Refuse {
  return (kind, because, structure, hostOffset, remedy) =>
    new ImageError(kind, say`Cannot open ${imageNamed(path)}`, {
      because: say`${because} (at host offset ${placeAt(hostOffset)})`,
      remedy,
      format: "vhdx",
      path,
      structure,
      hostOffset,
    });
}

/** What lies somewhere in the file. */
export interface Place {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}
