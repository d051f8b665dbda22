/**
 * Whether two images that lie in one file show the same guest: where both point at the same place nothing is read,
 * where a unit has moved both places are. So the cost grows with what moved.
 */

import { MiB } from "../../bytes/align.ts";
import { ExtentState } from "../extent.ts";
import { SideBySide } from "../side-by-side.ts";
import { Turns } from "./read-ahead.ts";
import { GuestReader } from "./reader.ts";
import { type GuestView, readsAsZeros } from "./view.ts";

export interface MovedOptions {
  /** False: a moved unit is taken at its word, and only states are compared. */
  readonly readsMoved: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The first guest offset at which `after` shows another byte than `before`, or null. Both views have the image itself
 * as their first layer, over the same file, and the same layers below.
 */
export async function firstMovedDifference(
  before: GuestView,
  after: GuestView,
  { readsMoved, signal }: MovedOptions,
): Promise<number | null> {
  if (before.virtualSize !== after.virtualSize) return Math.min(before.virtualSize, after.virtualSize);
  const turns = new Turns(signal, `compare the guest of ${after.layers[0]?.storage.path}`);
  const readers = [new GuestReader(before), new GuestReader(after)] as const;
  const run = new SideBySide(before.table, after.table);
  while (run.next()) {
    const { guestOffset, guestEnd, rowA, rowB } = run;
    if (isSamePlace(before, rowA, after, rowB, guestOffset)) continue;
    if (readsMoved) {
      const difference = await firstDifferentByte(readers, guestOffset, guestEnd);
      if (difference !== null) return difference;
    } else if (readsAsZeros(after.table, rowB) && !readsAsZeros(before.table, rowA)) return guestOffset;
    await turns.yield();
  }
  return null;
}

function isSamePlace(before: GuestView, b: number, after: GuestView, a: number, guestOffset: number): boolean {
  if (readsAsZeros(before.table, b) && readsAsZeros(after.table, a)) return true;
  if (before.table.state[b] !== after.table.state[a] || before.table.layer[b] !== after.table.layer[a]) return false;
  const skips = [before, after].map(({ table }, at) => guestOffset - (table.guestOffset[at === 0 ? b : a] as number));
  const [skipBefore, skipAfter] = skips as [number, number];
  const [hostBefore, hostAfter] = [before.table.hostOffset[b] as number, after.table.hostOffset[a] as number];
  if (before.table.state[b] !== ExtentState.compressed) return hostBefore + skipBefore === hostAfter + skipAfter;
  const layer = before.table.layer[b] as number;
  return (
    hostBefore === hostAfter &&
    before.table.storedLength[b] === after.table.storedLength[a] &&
    (before.table.clusterSkip[b] as number) + skipBefore === (after.table.clusterSkip[a] as number) + skipAfter &&
    before.layers[layer]?.compression === after.layers[layer]?.compression &&
    before.layers[layer]?.clusterSize === after.layers[layer]?.clusterSize
  );
}

async function firstDifferentByte(
  readers: readonly [GuestReader, GuestReader],
  start: number,
  end: number,
): Promise<number | null> {
  for (let at = start; at < end; at += MiB) {
    const length = Math.min(MiB, end - at);
    const [old, moved] = [Buffer.allocUnsafe(length), Buffer.allocUnsafe(length)];
    await Promise.all([readers[0].read(at, old), readers[1].read(at, moved)]);
    if (!old.equals(moved)) return at + old.findIndex((byte, index) => byte !== moved[index]);
  }
  return null;
}
