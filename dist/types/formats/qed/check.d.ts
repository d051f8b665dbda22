/** Consistency of a QED image, counted as `qemu-img check` counts it (learned by running it on damaged images). */
import { type CheckResult } from "../../image/finding.ts";
import type { QedHeader } from "./header.ts";
import type { TableScan } from "./table-scan.ts";
/** Adds leaks and the NEED_CHECK mark to what the walk over the tables found. */
export declare function checkResult(header: QedHeader, scan: TableScan, isMarkedForCheck: boolean): CheckResult;
