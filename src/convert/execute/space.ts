/** The space a plan needs at its peak, compared with what there is before the first write. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { Commit } from "../../image/target.ts";
import type { SwitchPlan } from "../../plan/switch-plan.ts";
import type { Volume } from "../../storage/storage.ts";
import type { Settings } from "../options/settings.ts";

/** Facts and framing of a journal's records, generously. */
const JOURNAL_FACTS_SIZE = 16 * 1024;

/**
 * Bytes of the file system taken at the peak: copies, new tables, the journal, and what settling writes into places
 * that may be holes. A copy-on-write file system can need the header's place anew.
 */
export function peakExtraBytes(plan: SwitchPlan, settles: boolean): number {
  const { draft, bytesMoved, commit, spareBytes = 0 } = plan;
  const settling = settles ? draft.settling.bytesMoved + draft.settling.bytesWritten : 0;
  return bytesMoved + draft.metadataBytes + settling + commitBytes(commit) + spareBytes + journalBytes(plan);
}

function commitBytes({ extras, sector }: Commit): number {
  return extras.reduce((sum, { bytes }) => sum + bytes.length, sector.length);
}

/** A switch, and the one behind it where that was planned with it: what the first put into the file is there still. */
export interface PlannedSwitches {
  readonly plan: SwitchPlan;
  readonly behind?: SwitchPlan | undefined;
}

/** The same of both, one after the other. */
export function peakOf({ plan, behind }: PlannedSwitches, settles: boolean): number {
  if (behind === undefined) return peakExtraBytes(plan, settles);
  return Math.max(peakExtraBytes(plan, false), keptBytes(plan) + peakExtraBytes(behind, settles));
}

/** What stays in the file. */
export function keptBytes({ bytesMoved, draft }: SwitchPlan): number {
  return bytesMoved + draft.metadataBytes;
}

function journalBytes(plan: SwitchPlan): number {
  // What was there and what is to come; trailing zeros of the old header area are not stored.
  const header = Math.max(plan.header.findLastIndex((byte) => byte !== 0) + 1, 4096);
  return header + commitBytes(plan.commit) + JOURNAL_FACTS_SIZE;
}

/** Throws `no-space` when the volume or the user's bound is too small, or both. `isFirst`: no step was made before. */
export async function refuseWithoutSpace(
  { volume, path }: { readonly volume: Volume; readonly path: string },
  planned: PlannedSwitches,
  settings: Settings,
  isFirst = true,
): Promise<void> {
  const needed = peakOf(planned, !settings.keepLeaks && !settings.keepUndo);
  const free = await volume.freeSpace(path);
  const reasons = [
    ...(needed > settings.maxExtraSpace ? [`more than the ${settings.maxExtraSpace} allowed`] : []),
    ...(needed > free ? [`and only ${free} are free beside it`] : []),
  ].map((where) => `it takes ${needed} bytes for a while, ${where}`);
  const [first] = reasons;
  if (first === undefined) return;
  throw new ImageError("no-space", say`Cannot convert ${imageNamed(path)}`, {
    because: first,
    ...(isFirst && { state: "nothing was written" }),
    path,
    operation: "plan",
    reasons,
  });
}
