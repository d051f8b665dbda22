/** What `qemu-img info` says of a qcow2 image beyond the common lines, in its order and names. */
import type { Bitmap } from "./bitmap-directory.ts";
import { type Qcow2Header } from "./header.ts";
export declare function specificInfo(header: Qcow2Header, bitmaps: readonly Bitmap[]): Readonly<Record<string, unknown>>;
