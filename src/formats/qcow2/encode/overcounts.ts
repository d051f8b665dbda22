/**
 * Host clusters that are counted more often than anything points at them: what a cut leaves where streams came to lie
 * beside others, or went away. Whoever has one pointer bears a flag that says so, and is none of them.
 */

import type { LiveCounts } from "../rearrange/live-counts.ts";
import type { ReferenceTally } from "../tables/reference-tally.ts";

/** Clusters of streams alone, which bear no such flag, and by how much their counts are too high. */
export async function* overcountedStreams(
  tally: ReferenceTally,
  counts: LiveCounts,
): AsyncGenerator<readonly [cluster: number, excess: number]> {
  for (const { cluster, count } of tally.compressed.each()) {
    if (tally.all.get(cluster) !== count) continue;
    const excess = (await counts.get(cluster)) - count;
    if (excess > 0) yield [cluster, excess];
  }
}
