/** Where the L2 entry of each guest cluster lies (docs/interop/qcow2.txt, "Cluster mapping"). */

import { l1Entries, readL1Bytes } from "../tables/l1-table.ts";
import type { WalkSource } from "../tables/table-walk.ts";

export class EntryPlaces {
  readonly #geometry: WalkSource["geometry"];
  /** Host offset of each L2 table, by its L1 index. */
  readonly #tables: Float64Array;

  private constructor(geometry: WalkSource["geometry"], tables: Float64Array) {
    this.#geometry = geometry;
    this.#tables = tables;
  }

  static async read({ storage, header, geometry }: WalkSource): Promise<EntryPlaces> {
    const tables = new Float64Array(header.l1EntryCount);
    const l1 = { hostOffset: header.l1TableHostOffset, entryCount: header.l1EntryCount };
    for (const { index, hostOffset } of l1Entries(await readL1Bytes(storage, geometry, l1))) tables[index] = hostOffset;
    return new EntryPlaces(geometry, tables);
  }

  /** Host offset of the entry of the cluster that begins there; its table must be one that exists. */
  of(guestOffset: number): number {
    const { bytesPerL2Table, clusterSize, l2EntrySize } = this.#geometry;
    const table = this.#tables[Math.floor(guestOffset / bytesPerL2Table)] as number;
    return table + Math.floor((guestOffset % bytesPerL2Table) / clusterSize) * l2EntrySize;
  }
}
