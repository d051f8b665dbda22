/**
 * What can be moved in a qcow, in units of the largest size in which its plain clusters lie, and whose each piece is.
 *
 *   |header L1| data | data | L2 | stream stream | stream |  -  |
 *   | piece 0 |  1   |  2   | 3  |          4             |        what shares a unit goes together
 *
 * A cluster is a piece of its own. Tables and streams lie at any byte: with them go all that lie in the same units. What
 * goes with the header, or the backing file's name, stays.
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { Bitmap, MAX_BITS } from "../../bytes/bitmap.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { PieceTable } from "../../image/piece-table.ts";
import type { QcowHeader } from "./header.ts";
import { Owner } from "./places.ts";
import type { QcowScan } from "./scan.ts";

export interface Survey {
  readonly unitSize: number;
  /** Places that the model reaches. */
  readonly placeCount: number;
  readonly pieces: PieceTable;
  /** Whose each piece is; several share one. */
  ownersOf(piece: number): Iterable<number>;
  /** The piece that a table lies in, and how far behind its first byte; below 0 one that stays, which lies there in the file. */
  tableAt(owner: number): { readonly piece: number; readonly within: number };
}

/** The most units between the ends of a file and of the places that something may be moved to. */
const ROOM_BEHIND = 4096;

/** `alignment`: the units are no larger. */
export function survey(
  header: QcowHeader,
  { places, tables }: QcowScan,
  path: string,
  alignment: number = header.clusterSize,
): Survey {
  const unitSize = unitSizeOf(Math.min(header.clusterSize, alignment), places.each());
  const end = Math.ceil(Math.max(places.end, header.fileSize) / unitSize);
  const placeCount = Math.min(2 * end + ROOM_BEHIND, MAX_BITS - 1);
  if (end + ROOM_BEHIND > placeCount) {
    throw new ImageError("unsupported", say`Cannot rearrange ${imageNamed(path)}`, {
      because: `its file is too long for units of ${unitSize} bytes`,
      format: "qcow",
      path,
      operation: "rearrange",
    });
  }
  const used = new Bitmap(placeCount);
  const starts = new Columns();
  const owners: number[] = [];
  const shared = new Map<number, number[]>();
  const tableAt = new Map<number, { readonly piece: number; readonly within: number }>();
  const long = { piece: [] as number[], length: [] as number[] };

  const addPiece = (start: number, length: number): number => {
    const piece = starts.add(start);
    if (length > 1) {
      long.piece.push(piece);
      long.length.push(length);
    }
    used.mark(start, length);
    return piece;
  };
  const addClump = (start: number, unitEnd: number, members: readonly Member[]) => {
    const stays = members.some(({ owner }) => owner === Owner.header || owner === Owner.backingName);
    const isHeader = start === 0;
    const piece = !stays || isHeader ? addPiece(start, unitEnd - start) : -1;
    if (piece < 0) used.mark(start, unitEnd - start);
    else {
      owners[piece] = members[0]?.owner ?? Owner.header;
      if (members.length > 1)
        shared.set(
          piece,
          members.map(({ owner }) => owner),
        );
    }
    for (const { owner, hostOffset } of members) {
      if (owner >= 0) continue;
      const within = piece < 0 ? hostOffset : hostOffset - start * unitSize;
      tableAt.set(owner, { piece, within });
    }
  };

  let clump: { start: number; end: number; members: Member[] } | undefined;
  const close = () => {
    if (clump) addClump(clump.start, clump.end, clump.members);
    clump = undefined;
  };
  for (const { start, end: rowEnd, owner } of places.each()) {
    const [first, last] = [Math.floor(start / unitSize), Math.ceil(rowEnd / unitSize)];
    if (owner >= 0 && !Owner.isStream(owner)) {
      close();
      const perCluster = header.clusterSize / unitSize;
      for (let at = 0; first + at < last; at += perCluster) {
        owners[addPiece(first + at, perCluster)] = owner + at * unitSize;
      }
      continue;
    }
    if (clump && first < clump.end) {
      clump.end = Math.max(clump.end, last);
      clump.members.push({ owner, hostOffset: start });
    } else {
      close();
      clump = { start: first, end: last, members: [{ owner, hostOffset: start }] };
    }
  }
  close();
  const columns = { piece: Uint32Array.from(long.piece), length: Uint32Array.from(long.length) };
  const pieces = new PieceTable(starts.finish(), columns, used, unitSize);
  const ownerOfPiece = Float64Array.from(owners);
  return {
    unitSize,
    placeCount,
    pieces,
    ownersOf: (piece) => shared.get(piece) ?? [ownerOfPiece[piece] as number],
    tableAt: (owner) => {
      const found = tableAt.get(owner);
      if (found === undefined) throw new RangeError(`no table of ${tables.l1Index.length} is ${owner}`);
      return found;
    },
  };
}

interface Member {
  readonly owner: number;
  readonly hostOffset: number;
}

/** The largest at whose multiples all plain clusters lie. */
function unitSizeOf(largest: number, places: Iterable<{ readonly start: number; readonly owner: number }>): number {
  let unitSize = largest;
  for (const { start, owner } of places) {
    if (owner < 0 || Owner.isStream(owner)) continue;
    while (unitSize > SECTOR_SIZE && start % unitSize !== 0) unitSize /= 2;
  }
  return unitSize;
}

/** A list of numbers below 2^32 that grows. */
class Columns {
  #numbers = new Uint32Array(1024);
  #count = 0;

  /** Returns its index. */
  add(value: number): number {
    if (this.#count === this.#numbers.length) {
      const wider = new Uint32Array(this.#count * 2);
      wider.set(this.#numbers);
      this.#numbers = wider;
    }
    this.#numbers[this.#count] = value;
    return this.#count++;
  }

  finish(): Uint32Array {
    return this.#numbers.slice(0, this.#count);
  }
}
