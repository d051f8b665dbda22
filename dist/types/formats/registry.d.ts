/** How an image's format is found among those that we know: exactly one whose marks it bears, raw only by name. */
import type { FormatDriver, ImageFiles } from "../image/driver.ts";
import type { Image } from "../image/source.ts";
import type { Storage } from "../storage/storage.ts";
export { formatDrivers } from "./drivers.ts";
export type { Qcow2BitmapInfo, Qcow2Details, Qcow2SpecificInfo } from "./qcow2/driver.ts";
export type { QedSpecificInfo } from "./qed/driver.ts";
export type { RawSpecificInfo } from "./raw/driver.ts";
/** The driver by qemu-img's name or another that people use; throws UsageError for a format that we don't know. */
export declare function driverOf(format: string): FormatDriver;
/** The one driver whose mark the image bears; throws ImageError `not-this-format` for none, `unsupported` for more. */
export declare function probeFormat(storage: Storage): Promise<FormatDriver>;
/** What a file says that it is: a driver's name, or that of a format which none of them opens; undefined where it says nothing. */
export declare function formatToldBy(storage: Storage): Promise<string | undefined>;
/** Whether a file can say that it is of this format; raw can't. */
export declare function isTold(format: string): boolean;
/** How an image is opened that the user named. */
export interface OpenAs {
    /** Take bytes for raw that bear another format's mark (`--allow-marked-raw`). Default false. */
    readonly allowMarkedRaw?: boolean | undefined;
    /** Gives a file beside the image that its own text names; by default none may be read. */
    readonly beside?: ImageFiles["beside"] | undefined;
}
/** Opens an image as `format`, or as what its first bytes say; throws ImageError, or UsageError for an unknown name. */
export declare function openImage(storage: Storage, format?: string, options?: OpenAs): Promise<Image>;
