/**
 * `--cross-check`: a second opinion from qemu-img, where it is on PATH.
 *
 * Of a conversion: its check of the image before and after, and its map of the guest (what is data, what reads as
 * zeros), which must be the same; asked before the undo is given up. Of a check: its counts. Backing files are never
 * opened.
 */
import type { CheckResult } from "../../image/finding.ts";
import type { Image } from "../../image/source.ts";
import type { CrossCheck } from "../options/options.ts";
import type { Settings } from "../options/settings.ts";
/** Why the wish can't be granted on this machine, one sentence; undefined where it can. */
export declare function crossCheckMistake(wish: CrossCheck, signal?: AbortSignal): Promise<string | undefined>;
/** qemu-img's view of the source, where it is wished for and to be had. */
export declare function askBefore(image: Image, { crossCheck, signal, check }: Pick<Settings, "crossCheck" | "signal" | "check">): Promise<CrossCheckedGuest | undefined>;
export declare class CrossChecker {
    #private;
    private constructor();
    /** Undefined where it is not to be had; a sentence where it must be. */
    static find(wish: CrossCheck, signal: AbortSignal | undefined): Promise<CrossChecker | string | undefined>;
    /** As `find`; throws `unsupported` where it must be had and is not. */
    static demand(wish: CrossCheck, signal: AbortSignal | undefined): Promise<CrossChecker | undefined>;
    /** qemu-img's view of the guest, to be compared afterwards. Throws where it finds the image corrupt. */
    before({ storage: { path }, format }: Image, hasCheck: boolean): Promise<CrossCheckedGuest>;
    /** One note where qemu-img is asked for its check. Throws `verification-failed` where its counts are others. */
    static compare(image: Image, ours: CheckResult, { crossCheck, signal }: {
        readonly crossCheck?: CrossCheck;
        readonly signal?: AbortSignal | undefined;
    }): Promise<string[]>;
}
/** A guest as qemu-img saw it before the conversion. */
export interface CrossCheckedGuest {
    /** One sentence. Throws `verification-failed` where qemu-img sees another guest now, or something wrong. */
    agree(targetFormat: string, leaksAllowed: boolean): Promise<string>;
}
