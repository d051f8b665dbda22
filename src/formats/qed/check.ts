/** Consistency of a QED image, counted as `qemu-img check` counts it (learned by running it on damaged images). */

import { hex } from "../../bytes/image-error.ts";
import { type CheckResult, FindingList } from "../../image/finding.ts";
import type { QedHeader } from "./header.ts";
import type { TableScan } from "./table-scan.ts";

/** Adds leaks and the NEED_CHECK mark to what the walk over the tables found. */
export function checkResult(header: QedHeader, scan: TableScan, isMarkedForCheck: boolean): CheckResult {
  const { clusterSize, clusterCount, virtualSize } = header;
  const findings = new FindingList();
  for (const finding of scan.findings.findings) findings.add(finding, 0);
  if (isMarkedForCheck) {
    const message = "The image is marked NEED_CHECK: its last writer did not close it";
    findings.add({ severity: "warning", kind: "need-check", structure: "QED header", hostOffset: 16, message });
  }
  const { references } = scan;
  for (let first = references.nextFree(0, clusterCount); first < clusterCount; ) {
    const end = references.nextMarked(first, clusterCount);
    const count = end - first;
    const hostOffset = first * clusterSize;
    const message = `${count} leaked ${count === 1 ? "cluster" : "clusters"} from host offset ${hex(hostOffset)}: nothing refers there`;
    findings.add({ severity: "leak", kind: "leaked-clusters", structure: "data", hostOffset, message }, count);
    first = references.nextFree(end, clusterCount);
  }
  return {
    corruptions: scan.findings.corruptions,
    leaks: findings.leaks,
    checkErrors: 0,
    warnings: 0,
    // qemu-img tells no end offset for QED.
    imageEndOffset: 0,
    totalClusters: Math.ceil(virtualSize / clusterSize),
    allocatedClusters: scan.allocatedCount,
    fragmentedClusters: scan.fragmentedCount,
    compressedClusters: 0,
    findings: findings.findings,
  };
}
