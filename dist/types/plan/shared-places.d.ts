/** Sources whose data can't be trusted to be the guest's alone: on metadata, or used twice. Refused, whatever is checked. */
import type { RangeSet } from "../bytes/range-set.ts";
import type { ConversionOptions } from "../image/driver.ts";
import { type ExtentTable } from "../image/extent.ts";
/** Throws ImageError `corrupt` at the first data that lies on metadata or at a place that other data has. */
export declare function refuseSharedPlaces({ format, clusterSize, hasSubclusters }: ConversionOptions, mapping: ExtentTable, metadata: RangeSet, fileSize: number): void;
