/** Downloads that shall go into the cache once the step ended well, saved to the step's state for `post`. */

import { info, saveState } from "@actions/core";
import type { PendingSave } from "../acquire/cache/download-cache.ts";
import { safeLine } from "./report/safe-text.ts";

/** Each has a state of its own: one environment variable could not hold many. */
const STATE = "pending-save-";

export function rememberSaves(saves: readonly PendingSave[]): void {
  for (const [index, save] of saves.entries()) saveState(`${STATE}${index + 1}`, JSON.stringify(save));
}

/** A cache that does not take them fails nothing. */
export async function performSaves(environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const saved = Object.entries(environment).filter(([name]) => name.startsWith(`STATE_${STATE}`));
  const saves = saved.flatMap(([, text]) => (text ? [JSON.parse(text) as PendingSave] : []));
  if (saves.length === 0) return;
  const { savePending } = await import("../acquire/cache/download-cache.ts");
  for (const note of await savePending(saves)) info(safeLine(note));
}
