/**
 * The compressed grains of a stream ("Virtual Disk Format 5.0", "Compressed Grains"): each begins at a sector, with a marker.
 *
 *   | guest sector, length | 78 9c | raw deflate ...                  | Adler | zeros up to a sector |
 *   ^ what the table says          ^ what the mapping points at: 14 bytes on
 */

import { alignUp, SECTOR_SIZE } from "../../../bytes/align.ts";
import { firstAbove } from "../../../bytes/first-above.ts";
import { hex } from "../../../bytes/image-error.ts";
import type { RangeSet } from "../../../bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../../image/extent.ts";
import { zlib } from "../../../storage/built-ins.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import { GrainMarkerFields } from "./fields.ts";
import type { SparseFindings } from "./findings.ts";
import { ENTRY_SIZE, type SparseHeader } from "./header.ts";
import { type Request, readInOrder } from "./reads.ts";

/** RFC 1950: two bytes before the deflate stream. */
const ZLIB_HEADER = 2;
const HEAD_LENGTH = GrainMarkerFields.size + ZLIB_HEADER;
/** No stream of a grain is longer than this many grains; QEMU reads none either. */
const MAX_GROWTH = 2;

/** The entries that say something, in the disk's order; sector 0 stands for a grain of zeros. */
export class GrainList {
  #grain = new Uint32Array(1024);
  #sector = new Uint32Array(1024);
  count = 0;

  addTables(view: DataView, firstGrain: number, count: number, header: SparseHeader): void {
    const inside = Math.min(count, Math.ceil(header.virtualSize / header.grainSize) - firstGrain);
    for (let at = 0; at < inside; at++) {
      const sector = view.getUint32(at * ENTRY_SIZE, true);
      if (sector !== 0) this.#add(firstGrain + at, header.hasZeroGrains && sector === 1 ? 0 : sector);
    }
  }

  grainAt(at: number): number {
    return this.#grain[at] as number;
  }

  sectorAt(at: number): number {
    return this.#sector[at] as number;
  }

  /** Where the grains begin, in bytes, with all else that must not be run into. */
  starts(metadata: RangeSet): Float64Array {
    const others = Array.from(metadata.each(), ({ start }) => start);
    const starts = new Float64Array(this.count + others.length);
    for (let at = 0; at < this.count; at++) starts[at] = this.sectorAt(at) * SECTOR_SIZE;
    starts.set(others, this.count);
    return starts.sort();
  }

  /** The first bytes of each, in order. */
  *heads(): Generator<Request & { readonly at: number }> {
    for (let at = 0; at < this.count; at++)
      yield { at, hostOffset: this.sectorAt(at) * SECTOR_SIZE, length: HEAD_LENGTH };
  }

  #add(grain: number, sector: number): void {
    if (this.count === this.#grain.length) {
      for (const name of ["grain", "sector"] as const) this.#grow(name);
    }
    this.#grain[this.count] = grain;
    this.#sector[this.count++] = sector;
  }

  #grow(name: "grain" | "sector"): void {
    const wider = new Uint32Array(2 * this.count);
    wider.set(name === "grain" ? this.#grain : this.#sector);
    if (name === "grain") this.#grain = wider;
    else this.#sector = wider;
  }
}

export interface Streams {
  readonly mapping: ExtentTable | undefined;
  readonly tailLength: number | undefined;
}

/** Reads the marker of every grain; all that is wrong becomes a finding. */
export async function readStreams(
  storage: Storage,
  header: SparseHeader,
  grains: GrainList,
  metadata: RangeSet,
  findings: SparseFindings,
): Promise<Streams> {
  const { grainSize, virtualSize } = header;
  const mapping = new ExtentTableBuilder();
  const starts = grains.starts(metadata);
  let tailLength: number | undefined;
  for await (const { request, bytes: head } of readInOrder(storage, grains.heads())) {
    const { at } = request;
    const guestOffset = grains.grainAt(at) * grainSize;
    const length = Math.min(grainSize, virtualSize - guestOffset);
    mapping.append(guestOffset - mapping.end, ExtentState.unallocated);
    const start = grains.sectorAt(at) * SECTOR_SIZE;
    if (start === 0) {
      mapping.append(length, ExtentState.zero);
      continue;
    }
    if (start >= header.fileSize) {
      findings.grainOutside(guestOffset, start, 1);
      return { mapping: undefined, tailLength };
    }
    const limit = Math.min(endOf(starts, start), header.fileSize);
    const place = { kind: "grain-marker", structure: "grain marker", guestOffset, hostOffset: start };
    const why = whyNoStream(head, guestOffset, limit - start, grainSize);
    if (why !== undefined) {
      const message = `The grain of guest offset ${hex(guestOffset)} at host offset ${hex(start)} ${why}`;
      findings.breaks({ ...place, message });
      return { mapping: undefined, tailLength };
    }
    const end = start + GrainMarkerFields.size + GrainMarkerFields.parse(head).length;
    // Up to the end of its last sector, as others count it: what is there besides is the grain's as well.
    const storedLength = alignUp(end, SECTOR_SIZE) - start - HEAD_LENGTH;
    mapping.append(length, ExtentState.compressed, start + HEAD_LENGTH, storedLength);
    if (length < grainSize) tailLength = await shortTail(storage, start + HEAD_LENGTH, storedLength, length, grainSize);
  }
  mapping.append(virtualSize - mapping.end, ExtentState.unallocated);
  return { mapping: mapping.finish(virtualSize), tailLength };
}

/** Why nothing of a grain begins there; undefined where it does. */
function whyNoStream(head: Uint8Array, guestOffset: number, room: number, grainSize: number): string | undefined {
  const view = new DataView(head.buffer, head.byteOffset, HEAD_LENGTH);
  // A guest's sector beyond 2^53 is another one as well.
  const sector = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  const length = view.getUint32(8, true);
  if (sector !== guestOffset / SECTOR_SIZE) return `is marked as that of sector ${sector}`;
  if (length <= ZLIB_HEADER || length > MAX_GROWTH * grainSize + ZLIB_HEADER)
    return `is said to have ${length} bytes, which no stream of it has`;
  if (GrainMarkerFields.size + length > room)
    return `is said to have ${length} bytes, and runs into what lies behind it`;
  const [method, flags] = [view.getUint8(12), view.getUint8(13)];
  const isZlib = (method & 0x0f) === 8 && method >>> 4 <= 7 && (method * 256 + flags) % 31 === 0;
  if (!isZlib) return "does not begin as a stream of zlib";
  return (flags & 0x20) !== 0 ? "asks for a preset dictionary" : undefined;
}

/** Where whatever begins next begins. */
function endOf(starts: Float64Array, start: number): number {
  return starts[firstAbove(starts, start)] ?? Number.POSITIVE_INFINITY;
}

/**
 * A disk may end inside its last grain: some programs store that whole, others (QEMU) the disk's bytes alone. Undefined
 * where it is whole, and where it can't be told: whoever reads it then says what is wrong.
 */
async function shortTail(
  storage: Storage,
  hostOffset: number,
  storedLength: number,
  length: number,
  grainSize: number,
): Promise<number | undefined> {
  const stored = await readZeroFilled(storage, hostOffset, storedLength);
  try {
    const plain = zlib().inflateRawSync(stored, { maxOutputLength: grainSize });
    return plain.length >= length && plain.length < grainSize ? plain.length : undefined;
  } catch {
    return undefined;
  }
}
