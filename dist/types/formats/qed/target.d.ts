/** The QED target: `openConversionTarget` and `map` of the letter's five verbs (layout.ts draws the result). */
import type { MappedDraft, TargetDriver } from "../../image/driver.ts";
import { type TableLayout } from "./layout.ts";
export interface MappedQedDraft extends MappedDraft {
    readonly layout: TableLayout;
}
export declare const qedTarget: TargetDriver;
