/** The space a plan needs at its peak, compared with what there is before the first write. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
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
  const { draft, bytesMoved, commit } = plan;
  const settling = settles ? draft.settling.bytesMoved + draft.settling.bytesWritten : 0;
  const extras = commit.extras.reduce((sum, { bytes }) => sum + bytes.length, commit.sector.length);
  return bytesMoved + draft.metadataBytes + settling + extras + journalBytes(plan);
}

function journalBytes(plan: SwitchPlan): number {
  // Trailing zeros of the header area are not stored, so its used end is what counts.
  const header = Math.min(plan.header.length, Math.max(plan.source.usedHeader.end, 4096));
  return header + JOURNAL_FACTS_SIZE;
}

/** Throws `no-space` when the volume or the user's bound is too small, or both. `isFirst`: no step was made before. */
export async function refuseWithoutSpace(
  { volume, path }: { readonly volume: Volume; readonly path: string },
  plan: SwitchPlan,
  settings: Settings,
  isFirst = true,
): Promise<void> {
  const needed = peakExtraBytes(plan, !settings.keepLeaks && !settings.keepUndo);
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
