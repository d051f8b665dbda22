/** From the image as found to a proven plan; no byte is written here. */
import type { Draft } from "../image/driver.ts";
import { type SwitchPlan } from "../plan/switch-plan.ts";
import type { Settings } from "./settings.ts";
import { type Source } from "./source.ts";
/** The plan, or `unchanged` where the image is what was asked for already. */
export declare function planConversion(source: Source, targetFormat: string, settings: Pick<Settings, "options" | "drop" | "check">): Promise<SwitchPlan | "unchanged">;
/** The file's first bytes, as many as a plan for the draft may change or must keep. */
export declare function readHeaderArea({ options, image, fileSize }: Source, draft: Draft): Promise<Uint8Array>;
