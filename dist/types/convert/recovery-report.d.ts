/** What a recovery came to, in one sentence for people. */
import type { Intent } from "../journal/state.ts";
import type { RecoveryReport } from "./report.ts";
export declare function recoveryReport(path: string, format: string, purpose: Intent["purpose"], how: string): RecoveryReport;
