/**
 * A new refcount structure past the end of the file, from the references counted (docs/interop/qcow2.txt, "Host
 * cluster management").
 *
 *   | header | ... the file as it is ... |      | moved tables | refcount blocks | refcount table |
 *                               old end -'      '- start                              fileSize -'
 *
 * The file grows, so that broken pointers past its old end may come to lie inside it: they read as zeros before and
 * after, count as references from then on, and whatever is new lies behind them.
 */

import { ImageError } from "../../../bytes/image-error.ts";
import type { Write } from "../../../image/write.ts";
import type { Storage } from "../../../storage/storage.ts";
import { maxRefcount } from "../tables/refcount.ts";
import type { ReferenceCounts } from "../tables/reference-counts.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import {
  type CountedClusters,
  layOutRefcounts,
  type RefcountLayout,
  refcountWrites,
} from "../target/refcount-layout.ts";
import { surveyReferences } from "./survey.ts";

/** Each turn makes the file as long as the turn before needed it. */
const MAX_TURNS = 8;

export interface RebuildWishes {
  readonly clusterSize: number;
  /** Where new things begin. */
  readonly start: number;
  /** End of what is there already, a multiple of the cluster size. */
  readonly end: number;
  /** How often new tables are listed, by cluster; all else that is new is referenced once. */
  readonly listed: ReadonlyMap<number, number>;
  /** Clusters that nobody references and that must not be used all the same. */
  readonly kept: ReferenceCounts;
}

export interface Rebuilt {
  /** Everything but the refcount structure, as the image will be. */
  readonly source: WalkSource;
  readonly tableHostOffset: number;
  readonly tableClusterCount: number;
  readonly fileSize: number;
  writes(): Iterable<Write>;
}

/**
 * Lays the structure out for the image that `view` shows at a length. Answers a host offset instead where something
 * points at what is new: then all of it must begin there.
 */
export async function rebuildRefcounts(
  view: (size: number) => Storage,
  { clusterSize, start, end, listed, kept }: RebuildWishes,
): Promise<Rebuilt | number> {
  let size = end;
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const source = await surveyReferences(view(size));
    const { all, findings } = source.tally;
    const free = firstFree(all, start / clusterSize, end / clusterSize, listed) * clusterSize;
    if (free > start) return free;
    for (const { cluster } of kept.each()) all.add(cluster);
    const { refcountBits } = source.header;
    const counted = countedClusters(all, clusterSize, maxRefcount(refcountBits));
    const layout = layOut(counted, refcountBits, end);
    // Nothing points past the end of a sound image.
    if (findings.corruptions === 0 || layout.end <= size) {
      return {
        source,
        tableHostOffset: layout.tableHostOffset,
        tableClusterCount: layout.tableClusterCount,
        fileSize: layout.end,
        writes: () => refcountWrites(layout, counted),
      };
    }
    size = layout.end;
  }
  throw cannot("it grows with each attempt");
}

/** `start` where the clusters [start, end) are used by what was put there alone and none behind them; else one past the last that is used. */
export function firstFree(
  all: ReferenceCounts,
  start: number,
  end: number,
  listed: ReadonlyMap<number, number>,
): number {
  let last = -1;
  const pages = all.pageIndexes();
  for (let at = pages.length - 1; at >= 0 && last < 0; at--) {
    for (const { cluster } of all.eachIn(pages[at] as number)) last = cluster;
  }
  if (last >= end) return last + 1;
  for (let cluster = start; cluster < end; cluster++) {
    if (all.get(cluster) > (listed.get(cluster) ?? 1)) return end;
  }
  return start;
}

function countedClusters(all: ReferenceCounts, clusterSize: number, most: number): CountedClusters {
  return {
    clusterSize,
    own: (first, count) => all.add(first, count),
    countOf: (cluster) => Math.min(all.get(cluster), most),
    pageIndexes: () => all.pageIndexes(),
    bitmapOf: (page) => all.bitmapOf(page),
  };
}

function layOut(counted: CountedClusters, refcountBits: number, hostOffset: number): RefcountLayout {
  try {
    return layOutRefcounts(counted, refcountBits, hostOffset, hostOffset);
  } catch (cause) {
    if (cause instanceof ImageError && cause.kind === "out-of-bounds")
      throw cannot("its table would be larger than 8 MiB");
    throw cause;
  }
}

function cannot(what: string): ImageError {
  return new ImageError("unsupported", "Cannot rebuild the refcount structure", {
    because: what,
    remedy: "copy the image with qemu-img convert",
    format: "qcow2",
    structure: "refcount table",
  });
}
