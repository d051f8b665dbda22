/**
 * `resume` and `rollback`: both believe the image, not the journal's memory of it, for someone may have booted it in
 * between (docs/how-it-works.md draws which state leads where).
 */

import { optionsOf, recoveryRules } from "./options/option-rules.ts";
import type { RecoveryOptions } from "./options/options.ts";
import type { RecoveryReport } from "./report/report.ts";
import { type Host, thisHost } from "./session/host.ts";

const behind = () => import("./recovery/recover.ts");

/**
 * Finishes an interrupted conversion or repair, or gives up the undo that one kept.
 *
 * @throws ImageError "Nothing to resume" where there is no journal; with `journal` set where it still stands
 */
export async function resume(
  path: string,
  options: RecoveryOptions = {},
  host: Host = thisHost(),
): Promise<RecoveryReport> {
  const given = optionsOf("resume", path, recoveryRules, options);
  const { recover } = await behind();
  return recover(path, "resume", given, host);
}

/**
 * Puts the image back: its old metadata until the undo was given up, after that by converting to the old format again;
 * a repair is undone only while its undo is there.
 *
 * @throws ImageError "Nothing to roll back" where there is no journal; with `journal` set where it still stands, also
 * when someone else wrote to the image since
 */
export async function rollback(
  path: string,
  options: RecoveryOptions = {},
  host: Host = thisHost(),
): Promise<RecoveryReport> {
  const given = optionsOf("rollback", path, recoveryRules, options);
  const { recover } = await behind();
  return recover(path, "roll back", given, host);
}
