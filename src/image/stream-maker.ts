/** An image that is a stream, made as a part of a file: what a format gives to the target that is an archive of one. */

import type { ExtentTable } from "./extent.ts";
import type { PackedFile, PackForm } from "./pack-form.ts";
import type { ConversionOptions } from "./source.ts";
import type { Draft } from "./target.ts";
import type { TargetOption, TargetOptionValues } from "./target-options.ts";

/** `base`: where the image begins in the file. */
export interface StreamMaker {
  readonly options: readonly TargetOption[];
  form(base: number): PackForm;
  /** As `TargetDriver.openConversionTarget`, of an image whose first byte lies at `base`. */
  draft(source: ConversionOptions, options: TargetOptionValues, drop: ReadonlySet<string>, base: number): Draft;
  /** All of the image before its first unit, as it is in the end. */
  front(virtualSize: number, options: TargetOptionValues, file: PackedFile): Uint8Array;
  /** One past its last byte in the file. Throws ImageError where an extent does not lie as the form has it. */
  endOf(extents: ExtentTable, virtualSize: number, base: number): StreamEnd;
}

export interface StreamEnd {
  /** One past its last unit. */
  readonly unitsEnd: number;
  readonly end: number;
}
