/** What can't be rearranged, in one wording. */

import {
  ImageError,
  type ImageErrorFacts,
  type ImageErrorKind,
  type ImageErrorWords,
} from "../../../bytes/image-error.ts";
import { imageNamed, say, type Words } from "../../../bytes/sentence.ts";

export function cannotRearrange(
  kind: ImageErrorKind,
  path: string,
  because: Words,
  details: ImageErrorFacts & Pick<ImageErrorWords, "remedy"> = {},
): ImageError {
  return new ImageError(kind, say`Cannot rearrange ${imageNamed(path)}`, {
    because,
    format: "qcow2",
    path,
    operation: "rearrange",
    ...details,
  });
}
