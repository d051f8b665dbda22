/** qcow2, versions 2 and 3, as source and target (docs/interop/qcow2.txt). */
import type { FormatDriver } from "../../image/driver.ts";
export type { Qcow2BitmapInfo, Qcow2Details, Qcow2SpecificInfo } from "./specific-info.ts";
export declare const qcow2Driver: FormatDriver;
