/** Clusters that several things share though no sound image lets them: what writes to one overwrites the other. */

import { hex } from "../../../bytes/image-error.ts";
import type { Finding } from "../../../image/finding.ts";
import type { ReferenceTally } from "../tables/reference-tally.ts";
import type { WalkSource } from "../tables/table-walk.ts";

/** qemu-img compares numbers alone and says nothing here; so it is a warning, told to `teller`. */
export function reportSharing(
  { geometry, tally }: WalkSource,
  teller: Pick<ReferenceTally, "warning">,
  cluster: number,
  references: number,
): void {
  const what = wrongSharing(tally, cluster, references);
  if (what === undefined) return;
  const hostOffset = cluster * geometry.clusterSize;
  teller.warning(() => sharingFinding(cluster, hostOffset, references, what));
}

function sharingFinding(
  cluster: number,
  hostOffset: number,
  references: number,
  what: string,
): Omit<Finding, "severity"> {
  return {
    kind: "overlap",
    structure: `cluster ${cluster}`,
    hostOffset,
    references,
    message: `Cluster ${cluster} at host offset ${hex(hostOffset)} is ${what}`,
    line: `WARNING cluster ${cluster} is ${what}`,
  };
}

function wrongSharing(tally: ReferenceTally, cluster: number, references: number): string | undefined {
  if (tally.sharedBlocks.get(cluster) > 0) return undefined;
  if (tally.metadata.get(cluster) > 0) return "metadata and something else at once";
  const activeTables = tally.activeL2Tables.get(cluster);
  const tables = activeTables + tally.inactiveL2Tables.get(cluster);
  if (tables > 0) {
    if (tables < references) return "an L2 table and data at once";
    return activeTables > 1 ? "an L2 table of several guest ranges" : undefined;
  }
  const compressed = tally.compressed.get(cluster);
  if (compressed > 0) return compressed < references ? "compressed and plain data at once" : undefined;
  const active = tally.copiedOf(cluster) + tally.uncopied.get(cluster);
  return active > 1 ? "the data of several guest ranges" : undefined;
}
