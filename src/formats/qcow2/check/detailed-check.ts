/**
 * The check once more, in qemu-img's own order and finding by finding. Only for images in which the quick walk found
 * something wrong: tables are read each time they are listed, and no two entries are told in one. Those in which it
 * found nothing have nothing to tell, and their references are counted already.
 *
 *   snapshot entries ─► L1 tables with their L2 tables, depth first: active, then snapshots ─► bitmaps, refcount table
 *     ─► clusters, ascending ─► COPIED flags, in the order of the tables ─► warnings, which qemu-img has not
 */

import type { CheckResult, FindingListener } from "../../../image/finding.ts";
import type { Bitmap } from "../tables/bitmap-directory.ts";
import { countL1Entry, type L1Place, type StoredL1Entry } from "../tables/l1-table.ts";
import { scanL2Table } from "../tables/l2-table-scan.ts";
import { L2Tally } from "../tables/l2-tally.ts";
import { listedTables } from "../tables/listed-tables.ts";
import { maxRefcount } from "../tables/refcount.ts";
import { ReferenceTally } from "../tables/reference-tally.ts";
import { readSnapshotTable, snapshotL1Tables, tellIncomplete } from "../tables/snapshot-table.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { countTheRest, type Inventory, reportUnreadable, resultOf, warnOfMarks } from "./check.ts";
import { reportSharing } from "./cluster-sharing.ts";
import { tellCopiedFlags } from "./copied-flags.ts";
import { compareRefcounts, MAX_TOLD } from "./refcount-compare.ts";

/** Tables that snapshots share are read once for each of them, so the work is not bounded by the file's length. */
const MAX_LISTED_ENTRIES = 64 * 2 ** 20;

/** What the quick walk found: `source.tally` holds its counts. */
export interface QuickCheck {
  readonly source: WalkSource;
  readonly inventory: Inventory;
  readonly bitmaps: readonly Bitmap[];
  readonly result: CheckResult;
}

/** True where everything can be told one by one; elsewhere the quick walk's findings must do. */
export function canCheckInDetail({ source, inventory, result }: QuickCheck): boolean {
  const findingCount = result.corruptions + result.leaks + result.checkErrors;
  const entryCount = source.tally.listedTables * source.geometry.l2EntryCount;
  return !inventory.failed && findingCount <= MAX_TOLD && entryCount <= MAX_LISTED_ENTRIES;
}

export async function checkInDetail(quick: QuickCheck, listener: FindingListener | undefined): Promise<CheckResult> {
  const { header, geometry } = quick.source;
  const counted = isCountedAlready(quick.source) ? quick.source.tally : undefined;
  const tally = new ReferenceTally(geometry, { listener, maxRefcount: maxRefcount(header.refcountBits), counted });
  const source = { ...quick.source, tally };
  let endCluster = 0;
  try {
    const snapshots = header.snapshotCount === 0 ? undefined : await readSnapshotTable(source);
    if (snapshots !== undefined) tellIncomplete(source, snapshots);
    tally.countMetadata(0, geometry.clusterSize, "header");
    await tellTables(source, {
      hostOffset: header.l1TableHostOffset,
      entryCount: header.l1EntryCount,
      isActive: true,
      name: "L1 table",
    });
    if (snapshots !== undefined) {
      for (const place of snapshotL1Tables(source, snapshots)) await tellTables(source, place);
      tally.countMetadata(header.snapshotTableHostOffset, snapshots.length, "snapshot table");
    }
    const blocks = await countTheRest(source, quick.bitmaps);
    endCluster = await compareRefcounts(source, blocks);
    const { misflagged, doubtfulFlags } = quick.source.tally;
    if (misflagged.size + doubtfulFlags > 0) await tellCopiedFlags(source, blocks, quick.source.tally);
  } catch (cause) {
    reportUnreadable(source, cause);
  }
  tally.tellWarnings();
  tellSharing(quick.source, tally);
  warnOfMarks(source);
  const result = resultOf(source, endCluster);
  if (counted === undefined) return result;
  const { allocatedClusters, fragmentedClusters, compressedClusters } = counted;
  return { ...result, allocatedClusters, fragmentedClusters, compressedClusters };
}

/**
 * True where the counts of the quick walk will do. They are those of the end: who is told in the middle that something
 * is counted twice, or more often than a refcount can say, has to count on the way; and the quick walk need not have
 * followed every table that lies askew.
 */
function isCountedAlready({ tally }: WalkSource): boolean {
  return !tally.hasOverflow && tally.askewTables === 0 && tally.sharedBlocks.pageIndexes().length === 0;
}

/** One L1 table and what it lists. */
async function tellTables(source: WalkSource, place: L1Place): Promise<void> {
  const { header, geometry, tally } = source;
  tally.countMetadata(place.hostOffset, place.entryCount * 8, place.name);
  const sink = new L2Tally(tally, geometry, undefined, header.hasDataFile);
  const times = { activeTimes: place.isActive ? 1 : 0, inactiveTimes: place.isActive ? 0 : 1 };
  const counted = tally.detailed?.counted;
  const hasFindings = ({ hostOffset }: StoredL1Entry): boolean =>
    counted === undefined || counted.suspectTables.get(hostOffset / geometry.clusterSize) > 0;
  for await (const { entry, table } of listedTables(source, place, hasFindings)) {
    countL1Entry(geometry, tally, place, entry);
    if (table === undefined) continue;
    const l1Index = place.isActive ? entry.index : undefined;
    sink.begin({ l1Index, hostOffset: entry.hostOffset, table, ...times });
    scanL2Table(table, geometry, sink);
  }
}

/** Told by the counts of the quick walk, which knows who shares a cluster. */
function tellSharing(quick: WalkSource, teller: ReferenceTally): void {
  for (const page of quick.tally.all.pageIndexes()) {
    for (const { cluster, count } of quick.tally.all.repeatedIn(page)) reportSharing(quick, teller, cluster, count);
  }
}
