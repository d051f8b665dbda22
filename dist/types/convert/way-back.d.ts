/** The way back from an interrupted conversion: byte for byte, or, once the undo was given up, by converting again. */
import type { Journal } from "../journal/journal.ts";
import type { RecoveryReport } from "./report.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
/** Puts the source back, or makes its format again where the undo was given up. Refuses over somebody's writes. */
export declare function goBack(session: Session, journal: Journal, settings: Settings): Promise<RecoveryReport>;
