/** inplace-convert: change the format of a VM disk image inside the file it already occupies. */

export { hex, ImageError, type ImageErrorDetails, type ImageErrorKind, UsageError } from "./bytes/image-error.ts";
export { makeDemoImage } from "./convert/demo-image.ts";
export type * from "./convert/report.ts";
export { formatSize, parseSize } from "./bytes/size-text.ts";
