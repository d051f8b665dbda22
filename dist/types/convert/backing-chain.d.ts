/** Follows an image's backing files, which its own header names: only by consent, and only within narrow rules. */
import type { Image } from "../image/driver.ts";
import type { Volume } from "../storage/storage.ts";
/** Backing files below one image. */
export declare const MAX_BACKING_DEPTH = 10;
export type BackingChain = [Image, ...Image[]];
/**
 * The image and what lies below it, top first; the caller closes the storages of all but the first. The caller has
 * the user's consent. Throws `unsupported` unless each backing file's name is relative, leads to a regular file
 * inside the folder of the image that names it (links resolved), and has its format given in the header.
 */
export declare function openBackingChain(volume: Volume, image: Image): Promise<BackingChain>;
export declare function closeBackingFiles([, ...backingFiles]: BackingChain): Promise<void>;
