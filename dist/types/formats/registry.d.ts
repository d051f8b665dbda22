/** The formats we know, and how an image's is found: exactly one match of its first bytes, raw only by name. */
import type { FormatDriver, Image } from "../image/driver.ts";
import type { Storage } from "../storage/storage.ts";
/** In the order of messages; raw, which matches everything, is last. */
export declare const formatDrivers: readonly FormatDriver[];
/** The driver by qemu-img's name, `vhd` being taken for `vpc`; throws UsageError for a format that we don't know. */
export declare function driverOf(format: string): FormatDriver;
/** The one driver whose magic the image bears; throws ImageError `not-this-format` for none, `unsupported` for more. */
export declare function probeFormat(storage: Storage): Promise<FormatDriver>;
/** Opens an image as `format`, or as what its first bytes say; throws ImageError, or UsageError for an unknown name. */
export declare function openImage(storage: Storage, format?: string): Promise<Image>;
