/**
 * The lists of drivers and kits with the toy in them, for suites that put them in place of the real ones:
 *
 *   vi.mock(".../src/formats/drivers.ts", async (original) => withToyDriver(await original()));
 *   vi.mock(".../test/formats/list.ts", async (original) => withToyKit(await original()));
 */

import type { FormatDriver } from "../../../src/image/driver.ts";
import type { FormatKit } from "../kit.ts";
import { toyDriver } from "./driver/driver.ts";
import { toyKit } from "./kit.ts";

/** Before raw, as a newcomer's line in `src/formats/drivers.ts` would be. */
export function withToyDriver({ formatDrivers }: { formatDrivers: readonly FormatDriver[] }) {
  return { formatDrivers: [...formatDrivers.slice(0, -1), toyDriver, ...formatDrivers.slice(-1)] };
}

/** Registered, so that its kit names no driver of its own. */
export function withToyKit({ kits }: { kits: readonly FormatKit[] }) {
  const { driver: _, ...registered } = toyKit;
  return { kits: [...kits, registered] };
}
