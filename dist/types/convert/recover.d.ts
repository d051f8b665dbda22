/**
 * `resume` and `rollback`: both believe the image, not the journal's memory of it, for someone may have booted it in
 * between (docs/how-it-works.md draws which state leads where).
 */
import type { RecoveryOptions } from "./options/options.ts";
import type { RecoveryReport } from "./report/report.ts";
/**
 * Finishes an interrupted conversion or repair, or gives up the undo that one kept.
 *
 * @throws ImageError "Nothing to resume" where there is no journal; with `journal` set where it still stands
 */
export declare function resume(path: string, options?: RecoveryOptions): Promise<RecoveryReport>;
/**
 * Puts the image back: its old metadata until the undo was given up, after that by converting to the old format again;
 * a repair is undone only while its undo is there.
 *
 * @throws ImageError "Nothing to roll back" where there is no journal; with `journal` set where it still stands, also
 * when someone else wrote to the image since
 */
export declare function rollback(path: string, options?: RecoveryOptions): Promise<RecoveryReport>;
