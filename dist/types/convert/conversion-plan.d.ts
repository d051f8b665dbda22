/** From the image as found to a proven plan; no byte is written here. */
import { type SwitchPlan } from "../plan/switch-plan.ts";
import type { Settings } from "./settings.ts";
import { type Source } from "./source.ts";
/** The plan, or `unchanged` where the image is what was asked for already. */
export declare function planConversion(source: Source, targetFormat: string, settings: Pick<Settings, "options" | "drop" | "check">): Promise<SwitchPlan | "unchanged">;
