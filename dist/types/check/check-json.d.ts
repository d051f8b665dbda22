/** The JSON of `qemu-img check --output=json`, then what is ours: warnings and findings. */
import type { CheckResult } from "../image/finding.ts";
import type { Fixed } from "./check-text.ts";
export interface CheckFacts extends CheckResult, Fixed {
    readonly image: string;
    readonly format: string;
}
/** Fields that qemu-img leaves out when they are 0 are left out here too. */
export declare function checkJson(facts: CheckFacts): Readonly<Record<string, unknown>>;
