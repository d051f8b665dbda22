/** The refcount table: where the blocks lie (docs/interop/qcow2.txt, "Host cluster management"). */

import { hex, ImageError } from "../../../bytes/image-error.ts";
import { readZeroFilled } from "../../../storage/storage.ts";
import { maxRefcount } from "./refcount.ts";
import { hexOfHalves, parseRefcountTableEntry, RESERVED_LOW } from "./table-entry.ts";
import type { WalkSource } from "./table-walk.ts";

/** Place of a block that its table entry does not give: all its refcounts read as 0. */
export const NO_BLOCK = 0;
/** Place of a block that can't be read: its refcounts are unknown. */
export const UNREADABLE_BLOCK = -1;

/** No file is longer; what lies beyond can't even be asked for. */
const MAX_FILE_OFFSET = 2 ** 63;

/** Blocks that are listed twice are compared twice; a hostile table lists one a million times. */
const MAX_SHARED_BLOCKS = 256;

/** Host offset of each refcount block, or NO_BLOCK, or UNREADABLE_BLOCK. */
export type RefcountBlocks = Float64Array;

function tooManyShared(hostOffset: number): ImageError {
  return new ImageError(
    "corrupt",
    `Cannot compare refcounts: more than ${MAX_SHARED_BLOCKS} entries of the refcount table share their blocks`,
    { format: "qcow2", structure: "refcount table", hostOffset },
  );
}

/** Host clusters whose refcounts are looked at: those of the file, and one beyond where compressed data reaches into it. */
export function countedClusterCount({ geometry, tally }: WalkSource): number {
  const { hostClusterCount } = geometry;
  return hostClusterCount + (tally.all.get(hostClusterCount) > 0 ? 1 : 0);
}

/**
 * Reads the refcount table, counts it and its blocks. To be called last, since a block must not be referenced by
 * anything else.
 */
export async function readRefcountTable({ storage, header, geometry, tally }: WalkSource): Promise<RefcountBlocks> {
  const { clusterSize, hostEnd, hostClusterCount } = geometry;
  const { refcountTableHostOffset, refcountTableClusterCount } = header;
  const size = refcountTableClusterCount * clusterSize;
  tally.countMetadata(refcountTableHostOffset, size, "refcount table");
  const presentSize = Math.min(size, Math.max(0, hostEnd - refcountTableHostOffset));
  const bytes = await readZeroFilled(storage, presentSize === 0 ? 0 : refcountTableHostOffset, presentSize);
  const view = new DataView(bytes.buffer);
  let sharedCount = 0;
  const blocks: RefcountBlocks = new Float64Array(Math.floor(presentSize / 8));
  for (let index = 0; index < blocks.length; index++) {
    const high = view.getUint32(index * 8);
    const low = view.getUint32(index * 8 + 4);
    if ((high | low) === 0) continue;
    const { hostOffset, hasReservedBits } = parseRefcountTableEntry(high, low);
    const defect = (kind: string, what: string, line: string) =>
      tally.corruption(() => ({
        kind,
        structure: "refcount table",
        hostOffset: refcountTableHostOffset + index * 8,
        message: `Entry ${index} of the refcount table: ${what}`,
        line,
      }));
    // By the low half: the whole may be more than a number holds exactly.
    const isAligned = (low & (clusterSize - 1) & ~RESERVED_LOW) === 0;
    if (!isAligned) tally.unalignedBlock ??= { index, place: hexOfHalves(high, low & ~RESERVED_LOW) };
    const isInside = hostOffset / clusterSize < hostClusterCount;
    if (!isAligned || hostOffset >= MAX_FILE_OFFSET) blocks[index] = UNREADABLE_BLOCK;
    else blocks[index] = isInside ? hostOffset : NO_BLOCK;
    if (hasReservedBits) {
      defect("reserved-bits", "reserved bits are set", `ERROR refcount table entry ${index} has reserved bits set`);
    } else if (!isAligned) {
      const line = `ERROR refcount block ${index} is not cluster aligned; refcount table entry corrupted`;
      defect("entry-unaligned", `host offset ${hex(hostOffset)} is no multiple of the cluster size`, line);
    } else if (!isInside) {
      const line = `ERROR refcount block ${index} is outside image`;
      defect("entry-out-of-bounds", `host offset ${hex(hostOffset)} lies outside the file`, line);
    } else if (hostOffset > 0) {
      tally.countMetadata(hostOffset, clusterSize, "refcount block");
      const cluster = hostOffset / clusterSize;
      const references = Math.min(tally.all.get(cluster), maxRefcount(header.refcountBits));
      if (references > 1) {
        tally.sharedBlocks.add(cluster);
        if (++sharedCount > MAX_SHARED_BLOCKS) throw tooManyShared(refcountTableHostOffset);
        const line = `ERROR refcount block ${index} refcount=${references}`;
        defect("refcount-block-shared", `its block at ${hex(hostOffset)} is referenced ${references} times`, line);
      }
    }
  }
  return blocks;
}

/** What QEMU says once of an image, at the first block it asks for that lies askew; `%#x` writes 0 as it is. */
export function unalignedWords(index: number, place: string): string {
  return (
    `qcow2: Image is corrupt: Refblock offset 0x${place} unaligned (reftable index: ${index === 0 ? 0 : hex(index)}); ` +
    "further non-fatal corruption events will be suppressed"
  );
}
