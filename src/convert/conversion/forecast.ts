/** What the rearrangements of a path come to, foretold from the image as found: at most, in bytes. */

import { alignUp, MiB } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { ExtentState, type ExtentTable, eachExtent, isStored } from "../../image/extent.ts";
import type { Step } from "../../plan/path.ts";
import type { SwitchPlan } from "../../plan/switch-plan.ts";
import type { Source } from "../inspect/source.ts";
import { epochBytesFor } from "../rearrange/epoch-size.ts";
import { encodeWindow, SPARES_PART } from "../switch/switch-planning.ts";

export interface Forecast {
  readonly bytesMoved: number;
  readonly bytesWritten: number;
  readonly peakExtraBytes: number;
  /** Syncs between its epochs, about: two for each. */
  readonly barriers: number;
  /** Undefined where no later step changes it. */
  readonly fileSize: number | undefined;
}

/** What a window of packing has left, and is given back with the next. */
const UNPACKED = MiB;

const NOTHING: Forecast = { bytesMoved: 0, bytesWritten: 0, peakExtraBytes: 0, barriers: 0, fileSize: undefined };

/** `plan` is the first step's, where that is a switch; `maxExtraSpace` as the run is bounded by it. */
export function forecastOf(
  source: Source,
  plan: SwitchPlan | undefined,
  steps: readonly Step[],
  maxExtraSpace: number,
): Forecast {
  const goals = steps.flatMap((step) => (step.step === "rearrange" ? [step.goal] : []));
  const [goal] = goals;
  const atOnce = epochBytesFor(maxExtraSpace);
  if (goal === "linear") return linear(plan?.draft.extents ?? source.mapping, source, atOnce);
  if (goal === "gather" || goal === "encode") {
    const extents = plan?.draft.extents ?? source.mapping;
    const first = goal === "gather" ? gather(extents, steps, atOnce) : encode(extents, encodeWindow(maxExtraSpace));
    const [, next] = goals;
    if (next !== "compact" && next !== "linear" && next !== "pack") return first;
    const second =
      next === "linear"
        ? linear(extents, source, atOnce)
        : next === "pack"
          ? pack(extents, encodeWindow(maxExtraSpace))
          : compact(source, plan, atOnce);
    const { fileSize, peakExtraBytes, barriers } = second;
    // One comes after the other.
    return {
      ...first,
      ...(next !== "compact" && {
        bytesMoved: first.bytesMoved + second.bytesMoved,
        bytesWritten: first.bytesWritten + second.bytesWritten,
      }),
      fileSize,
      peakExtraBytes: Math.max(first.peakExtraBytes, peakExtraBytes),
      barriers: first.barriers + barriers,
    };
  }
  if (goal === "pack") return pack(plan?.draft.extents ?? source.mapping, encodeWindow(maxExtraSpace));
  return goal === "compact" ? compact(source, plan, atOnce) : NOTHING;
}

/** At most: as if nothing got much shorter. How long the file will be only the data says. */
function encode({ count, state, length }: ExtentTable, spares: number): Forecast {
  let plain = 0;
  for (let row = 0; row < count; row++) if (state[row] === ExtentState.data) plain += length[row] as number;
  const peak = Math.min(plain, spares);
  const barriers = barriersFor(plain, spares);
  return { bytesMoved: plain, bytesWritten: plain, peakExtraBytes: peak, barriers, fileSize: undefined };
}

/** At most, of units in the guest's order in the file: what lies in the way at first is stored twice. Streams are brought as they are. */
function pack({ count, state, length, storedLength }: ExtentTable, window: number): Forecast {
  let bytes = 0;
  let plain = 0;
  for (let row = 0; row < count; row++) {
    if (!isStored(state[row])) continue;
    const isData = state[row] === ExtentState.data;
    bytes += (isData ? length[row] : storedLength[row]) as number;
    if (isData) plain += length[row] as number;
  }
  const peak = Math.min(bytes, window) + (bytes > 0 ? UNPACKED : 0);
  const barriers = barriersFor(bytes, window) + 2;
  return { bytesMoved: plain, bytesWritten: bytes + peak, peakExtraBytes: peak, barriers, fileSize: undefined };
}

/** Each epoch copies `atOnce` bytes, and is durable before and after pointers lead to them. */
function barriersFor(bytes: number, atOnce: number): number {
  return bytes === 0 ? 0 : 2 * Math.ceil(bytes / Math.max(1, Math.min(bytes, atOnce)));
}

/** At most: as if no unit lay as it has to. Some are copied twice, to make room for the first of the others. */
function gather({ count, state, length }: ExtentTable, steps: readonly Step[], atOnce: number): Forecast {
  let stored = 0;
  for (let row = 0; row < count; row++) if (state[row] === ExtentState.data) stored += length[row] as number;
  const room = steps.flatMap((step) => (step.step === "switch" && step.room ? [step.room] : [])).at(0);
  const peak = Math.min(room?.spareBytes ?? atOnce, stored + atOnce);
  return {
    bytesMoved: stored,
    bytesWritten: stored + Math.min(stored, peak),
    // Those of the switch before have been counted with it.
    peakExtraBytes: room === undefined ? peak : 0,
    barriers: barriersFor(stored, peak),
    fileSize: undefined,
  };
}

function linear(extents: ExtentTable, { options }: Source, atOnce: number): Forecast {
  let misplaced = 0;
  const wanted = new RangeSet();
  const taken = new RangeSet();
  for (const { state, guestOffset, hostOffset, length } of eachExtent(extents)) {
    if (state === ExtentState.unallocated || state === ExtentState.zero) continue;
    taken.add(hostOffset, hostOffset + length);
    if (state === ExtentState.data && hostOffset === guestOffset) continue;
    misplaced += length;
    wanted.add(guestOffset, guestOffset + length);
  }
  let free = 0;
  for (const { start, end } of wanted.each()) for (const gap of taken.gapsIn(start, end)) free += gap.end - gap.start;
  const peak = Math.min(misplaced, atOnce);
  // All gaps advance at each barrier: those that are there, and the spares.
  const barriers = barriersFor(misplaced, Math.min(atOnce, free + Math.ceil(misplaced / SPARES_PART)));
  const bytesWritten = misplaced + peak;
  return { bytesMoved: misplaced, bytesWritten, peakExtraBytes: peak, barriers, fileSize: options.virtualSize };
}

/** What is used stays or moves below the end that this leaves. */
function compact(
  { metadata, mapping, fileSize, options }: Source,
  plan: SwitchPlan | undefined,
  atOnce: number,
): Forecast {
  const extents = plan?.draft.extents ?? mapping;
  const unit = plan?.draft.clusterSize ?? options.clusterSize;
  const tables = plan ? alignUp(plan.draft.metadataBytes, unit) + unit : metadata.total;
  let stored = 0;
  for (let row = 0; row < extents.count; row++) {
    const isCompressed = extents.state[row] === ExtentState.compressed;
    if (isStored(extents.state[row]))
      stored += (isCompressed ? extents.storedLength[row] : alignUp(extents.length[row] as number, unit)) ?? 0;
  }
  const end = Math.min(alignUp(stored, unit) + tables, plan?.draft.fileSize ?? fileSize);
  let moved = 0;
  for (let row = 0; row < extents.count; row++) {
    const hostOffset = extents.hostOffset[row] as number;
    if (!isStored(extents.state[row])) continue;
    const hostEnd = hostOffset + (extents.length[row] as number);
    moved += Math.max(0, hostEnd - Math.max(hostOffset, end));
  }
  // Tables move as well, into what may be holes.
  const peak = Math.min(moved + tables, atOnce);
  const barriers = barriersFor(moved, atOnce);
  return { bytesMoved: moved, bytesWritten: moved + tables, peakExtraBytes: peak, barriers, fileSize: end };
}
