/**
 * Consistency of a QED image, counted as `qemu-img check` counts it (learned by running it on damaged images). That
 * prints numbers alone for this format, so the words for each finding are ours.
 */

import { hex } from "../../bytes/image-error.ts";
import { type CheckResult, FindingList, type FindingListener, MAX_FINDINGS } from "../../image/finding.ts";
import type { QedHeader } from "./header/header.ts";
import type { TableScan } from "./tables/table-scan.ts";

/** Adds leaks and the NEED_CHECK mark to what the walk over the tables found; `listener` hears of them. */
export function checkResult(
  header: QedHeader,
  scan: TableScan,
  isMarkedForCheck: boolean,
  listener?: FindingListener,
): CheckResult {
  const { clusterSize, clusterCount, virtualSize } = header;
  const findings = new FindingList(listener);
  const { references } = scan;
  for (let first = references.nextFree(0, clusterCount); first < clusterCount; ) {
    const end = references.nextMarked(first, clusterCount);
    const count = end - first;
    const hostOffset = first * clusterSize;
    const message = `${count} leaked ${count === 1 ? "cluster" : "clusters"} from host offset ${hex(hostOffset)}: nothing refers there`;
    const line = `Leaked ${count === 1 ? "cluster" : `${count} clusters`} from host offset ${hex(hostOffset)}`;
    findings.add({ severity: "leak", kind: "leaked-clusters", structure: "data", hostOffset, message, line }, count);
    first = references.nextFree(end, clusterCount);
  }
  if (isMarkedForCheck) {
    const message = "The image is marked NEED_CHECK: its last writer did not close it";
    const line = `WARNING ${message}`;
    findings.add({ severity: "warning", kind: "need-check", structure: "QED header", hostOffset: 16, message, line });
  }
  return {
    corruptions: scan.findings.corruptions,
    leaks: findings.leaks,
    checkErrors: 0,
    warnings: findings.warnings,
    // qemu-img tells no end offset for QED.
    imageEndOffset: 0,
    totalClusters: Math.ceil(virtualSize / clusterSize),
    allocatedClusters: scan.allocatedCount,
    fragmentedClusters: scan.fragmentedCount,
    compressedClusters: 0,
    findings: [...scan.findings.findings, ...findings.findings].slice(0, MAX_FINDINGS),
  };
}
