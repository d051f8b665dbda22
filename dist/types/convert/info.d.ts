/** What an image is, as `qemu-img info` tells it; never opens a backing file. */
import type { Image } from "../image/driver.ts";
import type { Volume } from "../storage/storage.ts";
import type { OpenOptions } from "./report.ts";
export interface InfoReport {
    /** The fields of `qemu-img info --output=json`. */
    readonly json: Readonly<Record<string, unknown>>;
    /** What `qemu-img info` prints for people. */
    readonly text: string;
}
/**
 * Reads an image's header and nothing that it names.
 *
 * @throws ImageError `not-this-format`, `unsupported` or `corrupt` for a file that is no image we can open; `io`
 */
export declare function info(path: string, options?: OpenOptions, volume?: Volume): Promise<InfoReport>;
/** `allocatedSize` is what the file takes on the disk, in bytes, if that is known. */
export declare function describeImage(path: string, image: Image, allocatedSize: number | undefined): InfoReport;
