/** Leaked clusters that a conversion gives up: nobody points at them, and nobody can tell what they once were. */

import { counted } from "../../bytes/count-text.ts";
import { command, option } from "../../bytes/sentence.ts";
import type { LeaksGivenUp } from "../report/report.ts";
import type { Source } from "./source.ts";

/** So many leaks are no few clusters that a crash left behind, whatever one table maps. */
const MANY = 100;

/** Undefined where there are none. */
export function leaksGivenUpBy({ check, options }: Source): LeaksGivenUp | undefined {
  // A refcount that is too high leaks too, but what it counts still has its place.
  const held = check.findings.filter(({ severity, references = 0 }) => severity === "leak" && references > 0);
  const clusters = check.leaks - held.length;
  if (clusters <= 0) return undefined;
  const { clusterSize, clustersPerTable } = options;
  const isSuspicious = clusters >= MANY || (clustersPerTable > 0 && clusters >= clustersPerTable / 2);
  return { clusters, bytes: clusters * clusterSize, isSuspicious };
}

/** As `dropped` has it. */
export function leaksText({ clusters, bytes }: LeaksGivenUp): string {
  return `leaks: ${counted(clusters, "cluster")}, ${bytes} bytes`;
}

/** Empty where they are few, or where the user consented. */
export function leaksWarnings(path: string, leaks: LeaksGivenUp | undefined, drop: readonly string[]): string[] {
  if (!leaks?.isSuspicious || drop.includes("leaks")) return [];
  const { clusters, bytes } = leaks;
  return [
    `the ${counted(clusters, "cluster")} (${bytes} bytes) of leaks that are given up are as many as a lost table leaves: they ` +
      `may be the only trace of lost data; look with ${command("check", path)} first, or consent with ${option("drop", "leaks")}`,
  ];
}
