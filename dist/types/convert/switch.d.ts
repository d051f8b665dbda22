/**
 * A switch, performed: additive writes, sync, the target verified through an overlay, one sector, sync.
 *
 *   journal | additive | verify | prepared | commit | verify anew | verified
 *           ^ nothing of the source is overwritten ^ the file is the target's
 */
import type { Image } from "../image/driver.ts";
import type { Journal } from "../journal/journal.ts";
import type { SwitchPlan } from "../plan/switch-plan.ts";
import type { Guest } from "./guest.ts";
import { type Session } from "./session.ts";
import { type Settings } from "./settings.ts";
import { type Source } from "./source.ts";
export interface SwitchInput {
    readonly session: Session;
    readonly settings: Settings;
    readonly source: Source;
    readonly plan: SwitchPlan;
    readonly guest: Guest;
    readonly journal: Journal;
    /** Of the source, where digests are compared. */
    readonly digestBefore: string | null;
}
/** The target as opened from the file after the commit, and its guest's digest, where one was taken. */
export interface Switched {
    readonly target: Image;
    readonly digestAfter: string | null;
}
/** Leaves the file the target's, verified and not yet settled. */
export declare function performSwitch(input: SwitchInput): Promise<Switched>;
