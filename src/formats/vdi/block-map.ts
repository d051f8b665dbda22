/**
 * One walk over the block map that feeds both the mapping and the check, which says what `qemu-img check` says (learned
 * by running it on damaged images), and what that lets pass.
 */

import { MiB } from "../../bytes/align.ts";
import { Bitmap } from "../../bytes/bitmap.ts";
import { counted } from "../../bytes/count-text.ts";
import { hex } from "../../bytes/image-error.ts";
import { wordsOf } from "../../bytes/words.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../image/extent.ts";
import { type Finding, FindingList, type FindingListener } from "../../image/finding.ts";
import { readExactly, type Storage } from "../../storage/storage.ts";
import { BLOCK_SIZE, ENTRY_SIZE, type VdiHeader } from "./header.ts";

/** An entry that means zeros. The one above it, the largest there is, means that nothing was ever written. */
const ZERO = 0xfffffffe;
/** The latter in any order of bytes. */
const UNALLOCATED_WORD = -1;
const PIECE_SIZE = MiB;
/** Findings beyond these are counted, not told: a sparse file may claim entries by the hundred million. */
const MAX_TOLD = 100_000;

export interface MapScan {
  /** Undefined where an entry can't be followed; `broken` then says which. */
  readonly mapping: ExtentTable | undefined;
  readonly broken: Finding | undefined;
  readonly findings: FindingList;
}

/** Reads every entry once; wrong ones become findings, which `listener` hears. */
export async function scanBlockMap(storage: Storage, header: VdiHeader, listener?: FindingListener): Promise<MapScan> {
  const walk = new MapWalk(header, listener);
  const { mapOffset, mapBytes } = header;
  for (let at = 0; at < mapBytes; at += PIECE_SIZE) {
    const piece = await readExactly(storage, mapOffset + at, Math.min(PIECE_SIZE, mapBytes - at), "block map");
    const view = new DataView(piece.buffer);
    const words = wordsOf(piece);
    for (let from = 0; from < words.length; ) {
      const first = at / ENTRY_SIZE + from;
      const end = endOfUnallocated(words, from);
      if (end > from) walk.passUnallocated(first, end - from);
      else walk.visit(first, view.getUint32(from * ENTRY_SIZE, true));
      from = Math.max(end, from + 1);
    }
  }
  return walk.finish();
}

/** One past the last of the entries from `from` on that say that nothing was ever written: of a large disk mostly all. */
function endOfUnallocated(words: Int32Array, from: number): number {
  let end = from;
  while (end < words.length && words[end] === UNALLOCATED_WORD) end++;
  return end;
}

class MapWalk {
  readonly #header: VdiHeader;
  readonly #used: Bitmap;
  readonly #mapping = new ExtentTableBuilder();
  readonly #findings: FindingList;
  #broken: Finding | undefined;
  /** Entries that name a block there can be, each of those that name the same. */
  #namedCount = 0;
  #told = 0;

  constructor(header: VdiHeader, listener?: FindingListener) {
    this.#header = header;
    this.#used = new Bitmap(header.blockCount);
    this.#findings = new FindingList(listener);
  }

  passUnallocated(index: number, count: number): void {
    const length = Math.min(count * BLOCK_SIZE, this.#header.virtualSize - index * BLOCK_SIZE);
    this.#append(Math.max(0, length), ExtentState.unallocated);
  }

  visit(index: number, block: number): void {
    const { blockCount, allocatedCount, virtualSize, dataOffset, fileSize } = this.#header;
    const guestOffset = index * BLOCK_SIZE;
    const length = Math.max(0, Math.min(BLOCK_SIZE, virtualSize - guestOffset));
    if (block >= ZERO) {
      this.#append(length, block === ZERO ? ExtentState.zero : ExtentState.unallocated);
      return;
    }
    if (block >= blockCount) {
      this.#find(true, "corruption", index, () => ({
        kind: "entry-out-of-bounds",
        message: `Entry ${index} of the block map names block ${block}, of ${blockCount}`,
        line: `ERROR: block index ${index} too large, is ${block}`,
      }));
      return;
    }
    this.#namedCount++;
    const hostOffset = dataOffset + block * BLOCK_SIZE;
    if (this.#used.mark(block, 1) > 0) {
      this.#find(false, "corruption", index, () => ({
        kind: "double-reference",
        hostOffset,
        references: 2,
        message: `Entry ${index} of the block map names block ${block}, which another entry names too`,
        line: `ERROR: block index ${block} also used by ${block}`,
      }));
    } else if (block >= allocatedCount) {
      this.#find(false, "warning", index, () => ({
        kind: "block-beyond-allocated",
        hostOffset,
        message: `Entry ${index} of the block map names block ${block}, though only ${allocatedCount} are said to be allocated: the next write may overwrite it`,
      }));
    }
    if (length > 0 && hostOffset + length > fileSize) {
      this.#find(true, "warning", index, () => ({
        kind: "block-out-of-bounds",
        hostOffset,
        message: `Entry ${index} of the block map names block ${block} at host offset ${hex(hostOffset)}, which ends outside the file of ${fileSize} bytes`,
      }));
    }
    this.#append(length, ExtentState.data, hostOffset);
  }

  finish(): MapScan {
    const { allocatedCount, mapOffset, virtualSize } = this.#header;
    if (this.#namedCount !== allocatedCount) {
      const message = `The block map names ${counted(this.#namedCount, "block")}, the header says ${allocatedCount}`;
      const line = `ERROR: allocated blocks mismatch, is ${this.#namedCount}, should be ${allocatedCount}`;
      const [kind, structure] = ["allocated-blocks-mismatch", "block map"];
      this.#findings.add({ severity: "corruption", kind, structure, hostOffset: mapOffset, message, line });
    }
    const mapping = this.#broken === undefined ? this.#mapping.finish(virtualSize) : undefined;
    return { mapping, broken: this.#broken, findings: this.#findings };
  }

  #append(length: number, state: ExtentState, hostOffset?: number): void {
    if (this.#broken === undefined) this.#mapping.append(length, state, hostOffset);
  }

  #find(
    isBreaking: boolean,
    severity: "corruption" | "warning",
    index: number,
    describe: () => Pick<Finding, "kind" | "hostOffset" | "references" | "message" | "line">,
  ): void {
    if (++this.#told > MAX_TOLD) {
      if (severity === "corruption") this.#findings.corruptions++;
      else this.#findings.warnings++;
      return;
    }
    const what = { severity, structure: "block map", guestOffset: index * BLOCK_SIZE, ...describe() };
    this.#findings.add(what);
    if (isBreaking) this.#broken ??= what;
  }
}
