/** The way on from an interrupted conversion: from before the commit planned anew, from after it verified and settled. */
import type { Journal } from "../journal/journal.ts";
import type { RecoveryReport } from "./report.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
/** Finishes what was begun, from wherever the image stands. */
export declare function goOn(session: Session, journal: Journal, settings: Settings): Promise<RecoveryReport>;
