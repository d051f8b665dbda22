/** The QED driver: source and target of conversions (QED specification, docs/interop/qed_spec of QEMU). */
import type { FormatDriver } from "../../image/driver.ts";
export type { QedSpecificInfo } from "./image.ts";
export declare const qedDriver: FormatDriver;
