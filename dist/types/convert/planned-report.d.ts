/** The report that a plan foretells, and the one of an image that is right already. */
import type { SwitchPlan } from "../plan/switch-plan.ts";
import type { ConversionReport } from "./report.ts";
import type { Settings } from "./settings.ts";
import type { Source } from "./source.ts";
import type { Stopwatch } from "./stopwatch.ts";
export declare function plannedReport(path: string, source: Source, plan: SwitchPlan, covers: "guest" | "layer", settings: Settings): ConversionReport;
export declare function refusedReport(path: string, source: Source, targetFormat: string, refused: readonly string[], settings: Settings): ConversionReport;
export declare function unchangedReport(path: string, source: Source, covers: "guest" | "layer", digest: string | null, settings: Settings, watch: Stopwatch): ConversionReport;
