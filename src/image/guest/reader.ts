/** Reads any range of the guest's disk through a view: data from its layer, compressed clusters inflated, the rest zeros. */

import { hex, ImageError } from "../../bytes/image-error.ts";
import { ExtentState, findRow } from "../extent.ts";
import type { GuestLayer, GuestView } from "./view.ts";

/** Reads under way at once: enough to hide a disk's latency, few enough for four threads. */
const MAX_READS = 16;
/** Inflated clusters kept; a caller that reads on in small steps inflates each once. */
const KEPT_CLUSTERS = 4;

export class GuestReader {
  readonly view: GuestView;
  readonly #inflated = new Map<string, Promise<Uint8Array>>();

  constructor(view: GuestView) {
    this.view = view;
  }

  /**
   * Fills `into` with the guest's bytes from `guestOffset`. Zeros: what no layer holds, what lies past the end of
   * the disk, and what lies past the end of a layer's file (a file may end inside its last cluster).
   * Throws ImageError `io`, or `corrupt` for a cluster that does not inflate.
   */
  async read(guestOffset: number, into: Uint8Array): Promise<void> {
    const { table, virtualSize } = this.view;
    if (!(guestOffset >= 0)) {
      throw new ImageError("out-of-bounds", `Cannot read the guest's disk at ${guestOffset}`, { guestOffset });
    }
    const end = Math.min(guestOffset + into.length, virtualSize);
    if (end - guestOffset < into.length) into.fill(0, Math.max(0, end - guestOffset));
    const reads: Promise<void>[] = [];
    let row = findRow(table, guestOffset);
    for (let next = guestOffset; next < end; row++) {
      const length = Math.min((table.guestOffset[row] as number) + (table.length[row] as number), end) - next;
      const part = into.subarray(next - guestOffset, next - guestOffset + length);
      const state = table.state[row];
      if (state === ExtentState.data) reads.push(this.#readData(row, next, part));
      else if (state === ExtentState.compressed) reads.push(this.#readCompressed(row, next, part));
      else part.fill(0);
      next += length;
      if (reads.length >= MAX_READS) await allDone(reads.splice(0));
    }
    await allDone(reads);
  }

  async #readData(row: number, guestOffset: number, part: Uint8Array): Promise<void> {
    const { table } = this.view;
    const hostOffset = (table.hostOffset[row] as number) + guestOffset - (table.guestOffset[row] as number);
    const count = await this.#layerOf(row).storage.read(hostOffset, part);
    part.fill(0, count);
  }

  async #readCompressed(row: number, guestOffset: number, part: Uint8Array): Promise<void> {
    const { table } = this.view;
    const start = (table.clusterSkip[row] as number) + guestOffset - (table.guestOffset[row] as number);
    const cluster = await this.#inflatedCluster(row);
    part.set(cluster.subarray(start, start + part.length));
  }

  #inflatedCluster(row: number): Promise<Uint8Array> {
    const key = `${this.view.table.layer[row]}:${this.view.table.hostOffset[row]}`;
    const known = this.#inflated.get(key);
    if (known !== undefined) return known;
    const cluster = this.#inflate(row);
    this.#inflated.set(key, cluster);
    if (this.#inflated.size > KEPT_CLUSTERS) this.#inflated.delete(this.#inflated.keys().next().value as string);
    return cluster;
  }

  async #inflate(row: number): Promise<Uint8Array> {
    const { table } = this.view;
    const layer = this.#layerOf(row);
    const hostOffset = table.hostOffset[row] as number;
    const stored = new Uint8Array(table.storedLength[row] as number);
    const count = await layer.storage.read(hostOffset, stored);
    try {
      return layer.inflate(stored.subarray(0, count));
    } catch (cause) {
      throw uninflatable(cause, layer.storage.path, hostOffset);
    }
  }

  #layerOf(row: number): GuestLayer {
    return this.view.layers[this.view.table.layer[row] as number] as GuestLayer;
  }
}

/** Says where the cluster lies that could not be inflated. */
export function uninflatable(cause: unknown, path: string, hostOffset: number): unknown {
  if (!(cause instanceof ImageError)) return cause;
  return new ImageError(cause.kind, `${cause.message}, at host offset ${hex(hostOffset)} of ${path}`, {
    path,
    structure: "compressed cluster",
    hostOffset,
    operation: "inflate",
    cause,
  });
}

/** Waits for every read, even after a failure: the buffer belongs to the caller again when this returns. */
async function allDone(reads: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(reads)) if (outcome.status === "rejected") throw outcome.reason;
}
