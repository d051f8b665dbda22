/** Cuts the guest's disk into 64 KiB blocks for `blkhash-sha256`: those known to be zeros, and those to be read. */

import { ExtentState } from "../extent.ts";
import { type GuestTable, readsAsZeros } from "./view.ts";

export const BLOCK_SIZE = 65536;

/** Blocks of zeros, then blocks that lie in files at least in part. Lengths in bytes, whole blocks but for the disk's last. */
export interface BlockRun {
  readonly zeroLength: number;
  /** Of the first stored block. */
  readonly guestOffset: number;
  readonly storedLength: number;
}

/** What is handed to a thread at once: runs that follow each other, of which only the stored blocks are read. */
export interface BlockWork {
  readonly runs: readonly BlockRun[];
  /** Bytes of the stored blocks of all runs. */
  readonly length: number;
  /** The stored blocks in order and without gaps, PART_WIDTH numbers for each part. */
  readonly parts: Float64Array<ArrayBuffer>;
}

/** Columns of a part: numbers alone, so that the work crosses to another thread as one buffer. */
export const PART_WIDTH = 6;
export const PartColumn = { state: 0, length: 1, layer: 2, hostOffset: 3, storedLength: 4, clusterSkip: 5 } as const;

/** The whole disk in order, with at most `maxBlocks` stored blocks each. */
export function* planBlockWork(table: GuestTable, virtualSize: number, maxBlocks: number): Generator<BlockWork> {
  const work = new BlockWorkBuilder(table);
  const maxLength = maxBlocks * BLOCK_SIZE;
  let row = 0;
  for (let next = 0; next < virtualSize; ) {
    while (rowEnd(table, row) <= next) row++;
    const zeroBytes = zerosEnd(table, row) - next;
    const zeroLength = next + zeroBytes === virtualSize ? zeroBytes : zeroBytes - (zeroBytes % BLOCK_SIZE);
    if (zeroLength > 0) {
      work.appendZeros(zeroLength);
      next += zeroLength;
      continue;
    }
    // Whole blocks of one row go together; a block of several rows goes alone.
    const inRow = Math.min(rowEnd(table, row) - next, maxLength - work.length);
    const length = inRow >= BLOCK_SIZE ? inRow - (inRow % BLOCK_SIZE) : Math.min(BLOCK_SIZE, virtualSize - next);
    work.appendStored(row, next, length);
    next += length;
    if (work.length === maxLength) yield work.finish();
  }
  if (!work.isEmpty) yield work.finish();
}

function rowEnd(table: GuestTable, row: number): number {
  return (table.guestOffset[row] as number) + (table.length[row] as number);
}

/** Where the zeros end that begin in `row`; the row's start where it holds none. */
function zerosEnd(table: GuestTable, row: number): number {
  let next = row;
  while (next < table.count && readsAsZeros(table, next)) next++;
  return next === row ? (table.guestOffset[row] as number) : rowEnd(table, next - 1);
}

class BlockWorkBuilder {
  readonly #table: GuestTable;
  #runs: { zeroLength: number; guestOffset: number; storedLength: number }[] = [];
  #parts: number[] = [];
  length = 0;

  constructor(table: GuestTable) {
    this.#table = table;
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  appendZeros(length: number): void {
    this.#runs.push({ zeroLength: length, guestOffset: 0, storedLength: 0 });
  }

  /** `length` guest bytes from `guestOffset`, which lies in `row`. */
  appendStored(row: number, guestOffset: number, length: number): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last.storedLength > 0) last.storedLength += length;
    else if (last !== undefined) Object.assign(last, { guestOffset, storedLength: length });
    else this.#runs.push({ zeroLength: 0, guestOffset, storedLength: length });
    const end = guestOffset + length;
    for (let next = guestOffset, at = row; next < end; at++) {
      const partEnd = Math.min(rowEnd(this.#table, at), end);
      this.#appendPart(at, next, partEnd - next);
      next = partEnd;
    }
    this.length += length;
  }

  #appendPart(row: number, guestOffset: number, length: number): void {
    const table = this.#table;
    const inRow = guestOffset - (table.guestOffset[row] as number);
    const isCluster = table.state[row] === ExtentState.compressed;
    this.#parts.push(
      table.state[row] as number,
      length,
      table.layer[row] as number,
      (table.hostOffset[row] as number) + (isCluster ? 0 : inRow),
      table.storedLength[row] as number,
      (table.clusterSkip[row] as number) + inRow,
    );
  }

  finish(): BlockWork {
    const work = { runs: this.#runs, length: this.length, parts: Float64Array.from(this.#parts) };
    this.#runs = [];
    this.#parts = [];
    this.length = 0;
    return work;
  }
}
