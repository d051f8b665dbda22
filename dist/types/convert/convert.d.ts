/** `convert` and `plan`: the whole of a conversion at one look; the steps are in conversion.ts. */
import { type Host } from "./host.ts";
import type { ConversionReport, ConvertOptions } from "./report.ts";
import { Session } from "./session.ts";
/**
 * Changes the format of the image at `path` to `targetFormat`, inside its own file.
 *
 * @throws ImageError with `reasons` for a refusal, with `rolledBack` where the image was put back, and with `journal`
 * where that stands and `resume` or `rollback` goes on; in all other cases nothing was written.
 * @throws UsageError for options that no image could take
 */
export declare function convert(path: string, targetFormat: string, options?: ConvertOptions, host?: Host): Promise<ConversionReport>;
/** What `convert` would do, as a report and as text; a refusal is in `report.refused`. Writes nothing. */
export declare function plan(path: string, targetFormat: string, options?: ConvertOptions, host?: Host): Promise<{
    readonly report: ConversionReport;
    readonly text: string;
}>;
/** An image with a journal or an undo beside it is not converted or repaired again; what a cut left before its first write is cleared. */
export declare function refuseUnfinished(session: Session): Promise<void>;
