/**
 * Whole clusters of zeros given up where nothing lies below: their L2 entries point at nothing from then on
 * (docs/interop/qcow2.txt, "L2 table entry"). A table that snapshots share shows zeros to them too, as the cluster did. Counts
 * stay, so that what nobody points at any more is leaks, which a repair lowers, with the flags of who is left alone.
 */

import { alignDown } from "../../../bytes/align.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { ExtentState, type ExtentTable } from "../../../image/extent.ts";
import type { EmptyStep } from "../../../image/rearranger.ts";
import { l1Entries, readL1Bytes } from "../tables/l1-table.ts";
import type { Snapshot } from "../tables/snapshot-table.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { type EntryChange, entryWrites } from "./entry-words.ts";

/** Entries of one epoch: as many as fit into memory without being noticed. */
const MAX_ENTRIES = 2 ** 15;

/**
 * `zeros`: guest ranges in whole clusters, the disk's last one as far as it goes. Each step durable before the next. What
 * lies behind the end of a disk that was shortened may be bytes of a snapshot's: such a cluster stays.
 */
export async function* emptyingSteps(
  source: WalkSource,
  mapping: ExtentTable,
  zeros: RangeSet,
  snapshots: readonly Pick<Snapshot, "diskSize">[],
): AsyncGenerator<EmptyStep, void, void> {
  const { storage, header, geometry } = source;
  const tables = new Float64Array(header.l1EntryCount);
  const l1 = { hostOffset: header.l1TableHostOffset, entryCount: header.l1EntryCount };
  for (const { index, hostOffset } of l1Entries(await readL1Bytes(storage, geometry, l1))) tables[index] = hostOffset;
  let changes: EntryChange[] = [];
  let ranges = new RangeSet();
  const step = async (): Promise<EmptyStep> => {
    const done = {
      ranges,
      purpose: "point at no zeros",
      repoints: true,
      writes: await entryWrites(storage, geometry, changes),
    };
    changes = [];
    ranges = new RangeSet();
    return done;
  };
  const { clusterSize, bytesPerL2Table, l2EntrySize, virtualSize } = geometry;
  const isShortened = snapshots.some(({ diskSize }) => diskSize === undefined || diskSize > virtualSize);
  const end = isShortened ? alignDown(virtualSize, clusterSize) : virtualSize;
  for (const { guestOffset, from, fromLength } of storedClusters(mapping, clusterSize)) {
    if (guestOffset >= end) continue;
    const guestEnd = Math.min(guestOffset + clusterSize, virtualSize);
    if (!zeros.contains(guestOffset, guestEnd)) continue;
    const table = tables[Math.floor(guestOffset / bytesPerL2Table)] as number;
    const hostOffset = table + Math.floor((guestOffset % bytesPerL2Table) / clusterSize) * l2EntrySize;
    changes.push({ hostOffset, from, fromLength, to: undefined, length: 0 });
    ranges.add(guestOffset, guestEnd);
    if (changes.length === MAX_ENTRIES) yield await step();
  }
  if (changes.length > 0) yield await step();
}

interface StoredCluster {
  readonly guestOffset: number;
  /** Of the cluster, or of its stream. */
  readonly from: number;
  readonly fromLength: number | undefined;
}

/** Each once, also where several of its subclusters are stored. */
function* storedClusters(mapping: ExtentTable, clusterSize: number): Generator<StoredCluster> {
  let done = -1;
  for (let row = 0; row < mapping.count; row++) {
    const state = mapping.state[row];
    const start = mapping.guestOffset[row] as number;
    const end = start + (mapping.length[row] as number);
    const from = mapping.hostOffset[row] as number;
    if (state === ExtentState.compressed)
      yield { guestOffset: start, from, fromLength: mapping.storedLength[row] as number };
    if (state !== ExtentState.data) continue;
    const into = start % clusterSize;
    for (let at = start - into; at < end; at += clusterSize) {
      if (at === done) continue;
      done = at;
      yield { guestOffset: at, from: from - into + (at - (start - into)), fromLength: undefined };
    }
  }
}
