/** The space a plan needs at its peak, compared with what there is before the first write. */
import type { SwitchPlan } from "../plan/switch-plan.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
/**
 * Bytes of the file system taken at the peak: copies, new tables, the journal, and what settling writes into places
 * that may be holes. A copy-on-write file system can need the header's place anew.
 */
export declare function peakExtraBytes(plan: SwitchPlan, settles: boolean): number;
/** Throws `no-space` when the volume or the user's bound is too small; nothing has been written. */
export declare function refuseWithoutSpace(session: Session, plan: SwitchPlan, settings: Settings): Promise<void>;
