/** Settling, performed: what the old format left in the file is given up, epoch by epoch. */
import type { Image } from "../image/driver.ts";
import type { Journal } from "../journal/journal.ts";
import { type Session } from "./session.ts";
import { type Settings } from "./settings.ts";
/** What settling did; an epoch may write nothing and cut the file. */
export interface Settled {
    readonly bytesWritten: number;
    readonly epochCount: number;
}
/**
 * The undo has been given up; each state in between is a whole image, so a cut only asks to plan anew.
 */
export declare function settle(session: Session, image: Image, journal: Journal, settings: Pick<Settings, "signal" | "onProgress">): Promise<Settled>;
