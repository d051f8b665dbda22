/** qcow2, versions 2 and 3, as source and target (docs/interop/qcow2.txt). */
import type { FormatDriver } from "../../image/driver.ts";
export declare const qcow2Driver: FormatDriver;
