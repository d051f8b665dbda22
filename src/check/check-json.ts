/** The JSON of `qemu-img check --output=json`, then what is ours: warnings and findings. */

import type { CheckResult, Finding } from "../image/finding.ts";
import type { RepairedCounts } from "./check-text.ts";

export interface CheckFacts extends CheckResult, RepairedCounts {
  readonly image: string;
  readonly format: string;
}

/** Fields that qemu-img leaves out when they are 0 are left out here too. */
export function checkJson(facts: CheckFacts): Readonly<Record<string, unknown>> {
  const { image, format, checkErrors, findings } = facts;
  const counts = {
    "image-end-offset": facts.imageEndOffset,
    corruptions: facts.corruptions,
    leaks: facts.leaks,
    "corruptions-fixed": facts.corruptionsFixed,
    "leaks-fixed": facts.leaksFixed,
    "total-clusters": facts.totalClusters,
    "allocated-clusters": facts.allocatedClusters,
    "fragmented-clusters": facts.fragmentedClusters,
    "compressed-clusters": facts.compressedClusters,
  };
  return {
    filename: image,
    format,
    "check-errors": checkErrors,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
    ...(facts.warnings === 0 ? {} : { warnings: facts.warnings }),
    findings: findings.map(findingJson),
  };
}

function findingJson(finding: Finding): Readonly<Record<string, unknown>> {
  const { severity, kind, structure, guestOffset, hostOffset, refcount, references, message } = finding;
  return {
    severity,
    kind,
    structure,
    ...given("guest-offset", guestOffset),
    ...given("host-offset", hostOffset),
    ...given("refcount", refcount),
    ...given("references", references),
    message,
  };
}

function given(name: string, value: number | undefined): Readonly<Record<string, number>> {
  return value === undefined ? {} : { [name]: value };
}
