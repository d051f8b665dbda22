/** A plan: all that a conversion would do, or every reason why it would refuse, by the run's own functions. Writes nothing. */
import type { Sentence } from "../../bytes/sentence.ts";
import type { Settings } from "../options/settings.ts";
import type { ConversionReport } from "../report/report.ts";
import type { Host } from "../session/host.ts";
export interface Foretold {
    readonly report: ConversionReport;
    readonly text: string;
    /** What the report has as `refused`, as values. */
    readonly refusals: readonly Sentence[];
}
export declare function foretell(path: string, targetFormat: string, settings: Settings, host: Host): Promise<Foretold>;
