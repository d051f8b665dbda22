/** `copyHeader` for QED: the one sector that makes the file a QED image, and where its backing name lies. */
import type { RangeSet } from "../../bytes/range-set.ts";
import type { Commit, ConversionOptions } from "../../image/driver.ts";
import type { MappedQedDraft } from "./target.ts";
export declare function copyHeader(draft: MappedQedDraft, source: ConversionOptions, oldHeader: Uint8Array, usedHeader: RangeSet): Commit;
