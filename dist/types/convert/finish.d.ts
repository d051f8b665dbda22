/** The end of a conversion: the undo given up, settled, checked through the file alone, the journal removed. */
import type { Image } from "../image/driver.ts";
import type { CheckResult } from "../image/finding.ts";
import type { Journal } from "../journal/journal.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
type FinishSettings = Pick<Settings, "signal" | "onProgress" | "check">;
/** The last check, null with `--no-check`, and what settling wrote to the image. */
export interface Finished {
    readonly check: CheckResult | null;
    readonly bytesSettled: number;
}
/**
 * The committed target has been verified. With `keepUndo` the way back stays open as `<image>.inplace-undo`; else it
 * is given up, durably, before the first byte of the old format is overwritten. `opened` is the target as opened after
 * the commit, where this process did that.
 */
export declare function finish(session: Session, journal: Journal, settings: FinishSettings, keepUndo: boolean, opened?: Image): Promise<Finished>;
export {};
