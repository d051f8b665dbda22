/** The runner's cache; the only door to @actions/cache, opened when it is used. */

import { restoreCache, saveCache } from "@actions/cache";

/** False where there is no such entry, or the service fails. */
export async function restoreFolder(folder: string, key: string): Promise<boolean> {
  // The service takes a key for a prefix as well.
  return (await restoreCache([folder], key)) === key;
}

/** Why it was not saved; undefined where it was. Never throws. */
export async function saveFolder(folder: string, key: string): Promise<string | undefined> {
  try {
    const id = await saveCache([folder], key);
    return id === -1 ? "the cache did not take it" : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
