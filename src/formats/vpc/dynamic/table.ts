/**
 * The block allocation table: for each block the sector at which its bitmap lies, the block's own bytes behind that
 * ("Virtual Hard Disk Image Format Specification", "Block Allocation Table and Data Blocks").
 */

import { alignDown, MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { readExactly, readZeroFilled, type Storage } from "../../../storage/storage.ts";

export const ENTRY_SIZE = 4;
/** A block that is not stored: it reads as zeros. */
export const UNUSED_ENTRY = 0xffff_ffff;
const PIECE = MiB / ENTRY_SIZE;

/** Offsets and sizes in bytes. */
export interface BlockTable {
  readonly batOffset: number;
  readonly blockSize: number;
  /** Of the sector bitmap before each block, in whole sectors. */
  readonly bitmapSize: number;
  /** Entries that the table has; the disk may need fewer. */
  readonly maxEntryCount: number;
}

/** Entries that are alike: all unused, all the same, or a single one. */
export interface EntryRun {
  readonly block: number;
  readonly count: number;
  /** In sectors. */
  readonly entry: number;
}

/** The entries [first, end), piece by piece. */
export async function* entryRuns(
  storage: Storage,
  { batOffset }: Pick<BlockTable, "batOffset">,
  first: number,
  end: number,
): AsyncGenerator<EntryRun> {
  for (let from = first; from < end; from += PIECE) {
    const count = Math.min(PIECE, end - from);
    const bytes = await readExactly(
      storage,
      batOffset + from * ENTRY_SIZE,
      count * ENTRY_SIZE,
      "block allocation table",
    );
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < count; ) {
      const entry = view.getUint32(at * ENTRY_SIZE);
      let next = at + 1;
      while (next < count && view.getUint32(next * ENTRY_SIZE) === entry) next++;
      yield { block: from + at, count: next - at, entry };
      at = next;
    }
  }
}

/** The disk's bytes by the table alone, for a look at some of them before its length is known. */
export function guestOf(main: Storage, table: BlockTable): Storage {
  const { batOffset, blockSize, bitmapSize, maxEntryCount } = table;
  return {
    path: main.path,
    size: async () => blockSize * maxEntryCount,
    close: async () => {},
    async read(guestOffset, into) {
      const length = Math.max(0, Math.min(into.length, blockSize * maxEntryCount - guestOffset));
      for (let done = 0; done < length; ) {
        const at = guestOffset + done;
        const start = alignDown(at, blockSize);
        const part = into.subarray(done, Math.min(length, done + start + blockSize - at));
        const bytes = await readExactly(main, batOffset + (start / blockSize) * ENTRY_SIZE, ENTRY_SIZE, "BAT entry");
        const entry = new DataView(bytes.buffer).getUint32(0);
        if (entry === UNUSED_ENTRY) part.fill(0);
        else part.set(await readZeroFilled(main, entry * SECTOR_SIZE + bitmapSize + at - start, part.length));
        done += part.length;
      }
      return length;
    },
  };
}
