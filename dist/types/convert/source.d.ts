/** The image as found: everything that the plan, the proof and the way back need to know, read once. */
import type { RangeSet } from "../bytes/range-set.ts";
import type { ConversionOptions, Image } from "../image/driver.ts";
import type { ExtentTable } from "../image/extent.ts";
import type { CheckResult } from "../image/finding.ts";
import type { Storage } from "../storage/storage.ts";
export interface Source {
    readonly image: Image;
    readonly options: ConversionOptions;
    readonly mapping: ExtentTable;
    readonly metadata: RangeSet;
    /** SHA-256 over the metadata, hex. */
    readonly metadataDigest: string;
    readonly check: CheckResult;
    readonly fileSize: number;
}
/** Reads all metadata of an image. Throws `corrupt` where it can't be followed. */
export declare function inspectSource(image: Image): Promise<Source>;
/** Corruption stops a conversion, and so does what only qemu-img lets pass; leaks are reported and it goes on. */
export declare function refuseCorruption({ image, check }: Source): void;
/** SHA-256 over the bytes of `ranges` in file order, hex; what lies past the end of file counts as zeros. */
export declare function digestRanges(storage: Storage, ranges: RangeSet): Promise<string>;
