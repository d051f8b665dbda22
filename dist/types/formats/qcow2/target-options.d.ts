/** Options of a qcow2 target, with qemu-img's names, and what is chosen where the user names nothing. */
import type { TargetOption, TargetOptionValues } from "../../image/driver.ts";
export declare const QCOW2_OPTIONS: readonly TargetOption[];
export interface Qcow2Settings {
    readonly clusterSize: number;
    readonly compat: "0.10" | "1.1";
    readonly refcountBits: number;
    readonly lazyRefcounts: boolean;
}
/**
 * Chooses what `options` leaves open: as it is in `inherited` (a qcow2 source's own values) as far as the named ones
 * allow, else QEMU's default. Throws UsageError for values that no source could use.
 */
export declare function chooseSettings(source: {
    readonly clusterSize: number;
    readonly virtualSize: number;
}, options: TargetOptionValues, inherited?: TargetOptionValues): Qcow2Settings;
/** The settings as `-o` would name them. */
export declare function optionValues(settings: Qcow2Settings): TargetOptionValues;
/** Entries that the L1 table of a disk needs. */
export declare function l1EntriesFor(virtualSize: number, clusterSize: number): number;
export declare function fitsL1(virtualSize: number, clusterSize: number): boolean;
