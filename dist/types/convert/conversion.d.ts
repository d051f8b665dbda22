/** The conversion behind `convert`, `resume`, `rollback` and `setmap`: inspect, plan, switch, settle, report. */
import { Journal } from "../journal/journal.ts";
import type { Intent } from "../journal/state.ts";
import type { ConversionReport } from "./report.ts";
import { type Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import { Stopwatch } from "./stopwatch.ts";
import { type SwitchInput } from "./switch.ts";
/** How a conversion begins: afresh, or in the place of an interrupted one's journal. */
export interface Beginning {
    readonly purpose: Intent["purpose"];
    readonly replacing?: Journal;
}
/** Converts the session's image. Throws with the image as it was, or with `journal` set in the error where that stands. */
export declare function runConversion(session: Session, targetFormat: string, settings: Settings, beginning?: Beginning): Promise<ConversionReport>;
/** From a proven plan to a finished image: journal, switch, settle, report. */
export declare function carryOut(input: Omit<SwitchInput, "journal">, beginning: Beginning, watch: Stopwatch): Promise<ConversionReport>;
