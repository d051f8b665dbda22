/** The redundant grain directory and its tables, which whoever writes keeps as the first ones ("Virtual Disk Format 5.0"). */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import type { Storage } from "../../../storage/storage.ts";
import type { Wrong } from "./findings.ts";
import { ENTRY_SIZE, type SparseHeader } from "./header.ts";
import { misplacedTable, readDirectory, readTables } from "./tables.ts";

export interface Redundant {
  readonly metadata: RangeSet;
  /** Why the two differ, so that programs differ in what they see; undefined where they do not. */
  readonly wrong: Wrong | undefined;
}

export async function readRedundant(
  storage: Storage,
  header: SparseHeader,
  directory: Uint32Array,
): Promise<Redundant> {
  const { redundantOffset: start, tableCount, tableBytes, fileSize } = header;
  const metadata = new RangeSet();
  if (start === undefined) return { metadata, wrong: undefined };
  const differs = (structure: string, what: string): Redundant => ({
    metadata,
    wrong: {
      kind: "redundant-directory",
      structure,
      hostOffset: start,
      message: `The redundant grain directory ${what}, so that programs see different disks`,
    },
  });
  const end = start + tableCount * ENTRY_SIZE;
  if (end > fileSize) return differs("grain directory", "ends outside the file");
  metadata.add(start, end);
  const entries = await readDirectory(storage, header, start);
  const misplaced = misplacedTable(entries, header);
  if (misplaced !== undefined) return differs(misplaced.structure, "names tables where none can be");
  for (const sector of entries) if (sector !== 0) metadata.add(sector * SECTOR_SIZE, sector * SECTOR_SIZE + tableBytes);
  const firsts = eachTable(storage, header, directory);
  try {
    for await (const table of eachTable(storage, header, entries)) {
      const first = await firsts.next();
      const isSame = !first.done && first.value.index === table.index && table.bytes.equals(first.value.bytes);
      if (!isSame) return differs(`grain table ${table.index}`, `has another table ${table.index} than the first one`);
    }
    if (!(await firsts.next()).done) return differs("grain directory", "lacks tables of the first one");
  } finally {
    await firsts.return(undefined);
  }
  return { metadata, wrong: undefined };
}

async function* eachTable(
  storage: Storage,
  header: SparseHeader,
  entries: Uint32Array,
): AsyncGenerator<{ readonly index: number; readonly bytes: Buffer }> {
  const { tableBytes } = header;
  for await (const { first, count, view } of readTables(storage, header, entries)) {
    const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
    for (let at = 0; at < count; at++)
      yield { index: first + at, bytes: bytes.subarray(at * tableBytes, (at + 1) * tableBytes) };
  }
}
