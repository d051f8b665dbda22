/** Which host clusters a qcow2 target uses, and how often: once, but for those that compressed clusters share. */

import { hex, ImageError } from "../../../bytes/image-error.ts";
import { PAGE_CLUSTERS, ReferenceCounts } from "../tables/reference-counts.ts";

export class ClusterUsage {
  readonly clusterSize: number;
  /** Clusters with one owner: header, tables, data. */
  readonly #owned = new ReferenceCounts();
  /** Clusters that hold compressed data; as many references as compressed clusters touch them. */
  readonly #shared = new ReferenceCounts();
  #hasShared = false;

  constructor(clusterSize: number) {
    this.clusterSize = clusterSize;
  }

  /** Counts clusters that nobody else may use; `proveAlone` looks whether somebody does. */
  own(firstCluster: number, clusterCount: number): void {
    this.#owned.add(firstCluster, clusterCount);
  }

  /** Counts the clusters under [hostOffset, hostEnd) once more; returns the largest count among them. */
  share(hostOffset: number, hostEnd: number): number {
    this.#hasShared = true;
    const first = Math.floor(hostOffset / this.clusterSize);
    const last = Math.floor((hostEnd - 1) / this.clusterSize);
    this.#shared.add(first, last - first + 1);
    let most = 0;
    for (let cluster = first; cluster <= last; cluster++) most = Math.max(most, this.#shared.get(cluster));
    return most;
  }

  countOf(cluster: number): number {
    return this.#owned.get(cluster) + (this.#hasShared ? this.#shared.get(cluster) : 0);
  }

  /** @throws ImageError `out-of-bounds` where an owned cluster has another user. */
  proveAlone(): void {
    // A page is a bitmap as long as nothing in it was counted twice.
    for (const page of this.#owned.pageIndexes()) {
      if (this.#owned.bitmapOf(page) !== undefined && !this.#hasShared) continue;
      const end = (page + 1) * PAGE_CLUSTERS;
      for (let cluster = page * PAGE_CLUSTERS; cluster < end; cluster++) {
        if (this.#owned.get(cluster) > 0 && this.countOf(cluster) > 1) {
          const hostOffset = cluster * this.clusterSize;
          throw new ImageError("out-of-bounds", `Cannot map to qcow2: host offset ${hex(hostOffset)} is used twice`, {
            format: "qcow2",
            structure: "mapping",
            hostOffset,
          });
        }
      }
    }
  }

  /** Pages of PAGE_CLUSTERS clusters that hold any used one, ascending. */
  pageIndexes(): number[] {
    if (!this.#hasShared) return this.#owned.pageIndexes();
    return [...new Set([...this.#owned.pageIndexes(), ...this.#shared.pageIndexes()])].sort((a, b) => a - b);
  }

  /** A page as a bitmap, least significant bit first; undefined where a cluster in it counts more than one. */
  bitmapOf(page: number): Uint8Array | undefined {
    const owned = this.#owned.bitmapOf(page);
    if (!this.#hasShared) return owned;
    const shared = this.#shared.bitmapOf(page);
    return owned && shared?.map((bits, at) => bits | (owned[at] as number));
  }
}
