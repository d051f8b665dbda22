/** The kits of all formats, and the ways between them. */

import { carrierDriver, driverOf } from "../../src/formats/registry.ts";
import { targetOf } from "../../src/formats/target-registry.ts";
import type { FormatDriver } from "../../src/image/driver.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import type { Storage } from "../../src/storage/storage.ts";
import type { CheckKit, FormatKit, OptionTexts, QemuKit, SourceKit, TargetKit } from "./kit.ts";
import { kits } from "./list.ts";

export { kits } from "./list.ts";

export function kitOf(format: string): FormatKit {
  // Of several kinds the first is what is made without options.
  const kit = kits.find(({ name }) => name === format);
  if (kit === undefined) throw new Error(`There is no kit of ${format}`);
  return kit;
}

export function driverOfKit({ name, driver }: FormatKit): FormatDriver {
  return driver ?? driverOf(name);
}

/** An image in memory, opened. */
export function storageOfKit({ storageOf = memoryStorage }: Pick<FormatKit, "storageOf">, image: Uint8Array): Storage {
  return storageOf(image);
}

export type Source = FormatKit & { readonly source: SourceKit };
export type Target = FormatKit & { readonly target: TargetKit };

export const sources = kits.filter((kit): kit is Source => kit.source !== undefined);
export const targets = kits.filter((kit): kit is Target => kit.target !== undefined);
export const checked = kits.filter((kit): kit is FormatKit & { check: CheckKit } => kit.check !== undefined);

export interface Pair {
  readonly from: Source;
  readonly to: Target;
}

/**
 * The ways from one format to another: each format from and to the one that all others can go by, so that they grow as the
 * formats do and not as their square. All ways with PAIRS=all.
 */
export const pairs: readonly Pair[] = sources
  .flatMap((from) => partnersOf(from).map((to) => ({ from, to })))
  .filter(({ from, to }) => process.env.PAIRS === "all" || [from.name, to.name].includes(carrierDriver().name));

/** How many images of a pair a suite of whole conversions takes. */
export function runsOf({ from, to }: Pair, usual = 25): number {
  return Math.min(from.source.runs ?? usual, to.target.runs ?? usual);
}

/** `-o` by which what becomes of an image stays small. */
export function optionsOf({ from, to }: Pair): OptionTexts {
  const known = new Set(targetOf(to.name)?.options.map(({ name }) => name));
  const towards = Object.entries(from.source.towards ?? {}).filter(([name]) => known.has(name));
  return { ...to.target.small, ...Object.fromEntries(towards) };
}

/** Those whose images are small enough for every state of every cut; test/crash/large-units.test.ts takes a sample of the others. */
export const smallPairs = pairs.filter(({ from, to }) => (from.source.runs ?? to.target.runs) === undefined);

/** Ways of one switch, whatever the image: its undo leads back to every byte. */
export const switchPairs = pairs.filter(({ to }) => !to.target.needsFront);

/** Those for which QEMU makes the source and judges the target. */
export const qemuPairs = switchPairs.filter(
  (pair): pair is { from: Source & { qemu: QemuKit }; to: Target & { qemu: QemuKit } } =>
    pair.from.qemu !== undefined && pair.to.qemu !== undefined,
);

/** Of ways, those that suites take which start a process for each place of a kill, or take each cut: there and back. All with PAIRS=all. */
export function fewOf<P extends Pair>(ways: readonly P[]): readonly P[] {
  const both = new Set(["qed", "qcow2"]);
  return ways.filter(({ from, to }) => process.env.PAIRS === "all" || (both.has(from.name) && both.has(to.name)));
}

/** The targets of a conversion that changes the format. */
export function partnersOf({ name }: FormatKit): readonly Target[] {
  return targets.filter((target) => target.name !== name);
}

export function qemuKitOf(format: string): QemuKit {
  const { qemu } = kitOf(format);
  if (qemu === undefined) throw new Error(`QEMU makes no images of ${format} for us`);
  return qemu;
}
