/** `setmap`, the letter's qemu-io command: points one guest range at a host range of the same file, for experts. */
import type { OpenOptions } from "./options/options.ts";
import type { SetmapReport } from "./report/report.ts";
/**
 * Makes guest bytes [guestOffset, +length) the file's bytes at `hostOffset`, by new tables of the image's own format
 * and one switch, as safe as a conversion. What the range showed before is no longer pointed at.
 *
 * @throws UsageError for what is no offset, length or option; nothing was opened
 * @throws ImageError `out-of-bounds` for ranges that are unaligned, outside, or in use by something else
 */
export declare function setmap(path: string, guestOffset: number, hostOffset: number, length: number, options?: OpenOptions): Promise<SetmapReport>;
