/**
 * What the guest sees: an image's mapping laid over its backing files' mappings, as one table over the whole disk.
 *
 *   layer 0   AAAA....ZZZZ....        A data, Z zero, . unallocated
 *   layer 1   BBBBBBBB....BB          shorter than the disk: what lies beyond reads as zeros
 *   view      AAAABBBBZZZZBB..
 */

import type { Storage } from "../../storage/storage.ts";
import type { CompressionMethod } from "../compression.ts";
import { ExtentState, type ExtentTable, isStored, NOWHERE } from "../extent.ts";
import { SideBySide } from "../side-by-side.ts";
import type { Image } from "../source.ts";
import { inflateCluster } from "./inflate.ts";

/** One image of the chain. Sizes in bytes. */
export interface GuestLayer {
  readonly storage: Storage;
  readonly extents: ExtentTable;
  readonly virtualSize: number;
  readonly clusterSize: number;
  /** Of compressed rows; undefined where there are none. */
  readonly compression: CompressionMethod | undefined;
  /** Of the disk's last stream, where it holds fewer bytes than a cluster. */
  readonly tailLength?: number | undefined;
  /** One compressed extent's stored bytes to one cluster. */
  inflate(stored: Uint8Array): Uint8Array;
}

/** An ExtentTable whose rows say which layer holds them; `unallocated` rows lie in none and read as zeros. */
export interface GuestTable extends ExtentTable {
  /** Index of the layer that `hostOffset` counts in; of unallocated rows the lowest layer that was asked. */
  readonly layer: Uint8Array;
  /** Bytes of the inflated cluster before the row's first; 0 but for compressed rows that a higher layer cuts. */
  readonly clusterSkip: Uint32Array;
}

export interface GuestView {
  /** The image itself first, its backing file next, and so on down. */
  readonly layers: readonly GuestLayer[];
  readonly virtualSize: number;
  readonly table: GuestTable;
}

/** The view of an image and, where given, of its chain of backing files. Walks the tables; throws `corrupt` as they do. */
export async function openGuestView(chain: readonly [Image, ...Image[]]): Promise<GuestView> {
  const layers: GuestLayer[] = [];
  for (const image of chain) layers.push(await guestLayer(image));
  return composeGuestView(layers);
}

export async function guestLayer(image: Image): Promise<GuestLayer> {
  const extents = await image.getMapping();
  const { compression, tailLength } = image.getConversionOptions();
  return {
    storage: image.storage,
    extents,
    virtualSize: image.virtualSize,
    clusterSize: image.clusterSize,
    compression,
    tailLength,
    inflate: (stored) => inflateCluster(compression, stored, image.clusterSize, tailLength),
  };
}

/** Lays the first layer over the second, and so on; at most 256 of them. */
export function composeGuestView(layers: readonly GuestLayer[]): GuestView {
  const [top] = layers;
  if (top === undefined) throw new RangeError("Cannot compose a guest view of no layers");
  let depth = layers.length - 1;
  let table = tableOfLayer((layers[depth] as GuestLayer).extents, depth);
  while (--depth >= 0) table = layOver((layers[depth] as GuestLayer).extents, depth, table);
  return { layers, virtualSize: top.virtualSize, table };
}

/** True where the guest reads zeros from the row without a look at any file, and past the last row. */
export function readsAsZeros(table: ExtentTable, row: number): boolean {
  return !isStored(table.state[row]);
}

function tableOfLayer(extents: ExtentTable, depth: number): GuestTable {
  return {
    ...extents,
    layer: new Uint8Array(extents.count).fill(depth),
    clusterSkip: new Uint32Array(extents.count),
  };
}

/** One pass over both tables: rows of `upper`, and in its unallocated ranges those of `lower`. */
function layOver(upper: ExtentTable, depth: number, lower: GuestTable): GuestTable {
  const rows = new RowList();
  const run = new SideBySide(upper, lower);
  while (run.next() && run.rowA < upper.count) {
    const { guestOffset, guestEnd, rowA, rowB } = run;
    if (upper.state[rowA] === ExtentState.unallocated) {
      rows.append(rowB < lower.count ? upper.count + rowB : rowA, guestOffset, guestEnd);
    } else if (upper.guestOffset[rowA] === guestOffset) {
      rows.append(rowA, guestOffset, guestOffset + (upper.length[rowA] as number));
    }
  }
  return rows.toTable(upper, depth, lower);
}

/** Which rows of two tables make a third; rows of the lower one are numbered from the upper one's count on. */
class RowList {
  readonly #from: number[] = [];
  readonly #guestOffset: number[] = [];
  readonly #length: number[] = [];

  append(from: number, guestOffset: number, guestEnd: number): void {
    this.#from.push(from);
    this.#guestOffset.push(guestOffset);
    this.#length.push(guestEnd - guestOffset);
  }

  toTable(upper: ExtentTable, depth: number, lower: GuestTable): GuestTable {
    const count = this.#from.length;
    const table = {
      count,
      guestOffset: Float64Array.from(this.#guestOffset),
      hostOffset: new Float64Array(count),
      length: Float64Array.from(this.#length),
      state: new Uint8Array(count),
      storedLength: new Uint32Array(count),
      layer: new Uint8Array(count),
      clusterSkip: new Uint32Array(count),
    };
    for (let row = 0; row < count; row++) {
      const from = this.#from[row] as number;
      const isUpper = from < upper.count;
      const source = isUpper ? upper : lower;
      const sourceRow = isUpper ? from : from - upper.count;
      const skipped = (table.guestOffset[row] as number) - (source.guestOffset[sourceRow] as number);
      const hostOffset = source.hostOffset[sourceRow] as number;
      const isCluster = source.state[sourceRow] === ExtentState.compressed;
      table.state[row] = source.state[sourceRow] as ExtentState;
      // A compressed cluster is read from its start, wherever in it the row begins.
      table.hostOffset[row] = hostOffset === NOWHERE || isCluster ? hostOffset : hostOffset + skipped;
      table.storedLength[row] = source.storedLength[sourceRow] as number;
      table.layer[row] = isUpper ? depth : (lower.layer[sourceRow] as number);
      table.clusterSkip[row] = isCluster ? (isUpper ? 0 : (lower.clusterSkip[sourceRow] as number)) + skipped : 0;
    }
    return table;
  }
}
