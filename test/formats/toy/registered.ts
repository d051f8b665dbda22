/**
 * The lists of drivers and kits with the toy in them, for suites that put them in place of the real ones:
 *
 *   vi.mock(".../src/formats/drivers.ts", async (original) => withToyDriver(await original()));
 *   vi.mock(".../src/formats/targets.ts", async (original) => withToyTarget(await original()));
 *   vi.mock(".../test/formats/list.ts", async (original) => withToyKit(await original()));
 */

import type { FormatDriver } from "../../../src/image/driver.ts";
import type { TargetDriver } from "../../../src/image/target.ts";
import type { FormatKit } from "../kit.ts";
import { toyDriver } from "./driver/driver.ts";
import { toyTarget } from "./driver/target.ts";
import { toyKit } from "./kit.ts";

/** Before raw, as a newcomer's line in `src/formats/drivers.ts` would be. */
export function withToyDriver({ formatDrivers }: { formatDrivers: readonly FormatDriver[] }) {
  return { formatDrivers: [...formatDrivers.slice(0, -1), toyDriver, ...formatDrivers.slice(-1)] };
}

/** As a newcomer's line in `src/formats/targets.ts` would be. */
export function withToyTarget({ formatTargets }: { formatTargets: Readonly<Record<string, TargetDriver>> }) {
  return { formatTargets: { ...formatTargets, [toyDriver.name]: toyTarget } };
}

/** Whom it is converted from and to: the others are asked about each other without it. */
const PARTNERS = new Set(["qed", "qcow2"]);

/** Registered, so that its kit names no driver of its own. */
export function withToyKit({ kits }: { kits: readonly FormatKit[] }) {
  const { driver: _, ...registered } = toyKit;
  return { kits: [...kits, registered] };
}

/** The toy among those alone whom it is converted from and to, for suites that ask each pair. */
export function withToyAlone(original: { kits: readonly FormatKit[] }) {
  const { kits } = withToyKit(original);
  return { kits: kits.filter(({ name }) => name === toyKit.name || PARTNERS.has(name)) };
}
