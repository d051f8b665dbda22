/** The grain directory and the grain tables that it names: 32-bit sectors each ("Virtual Disk Format 5.0", "Grain Directory"). */

import { ceilDiv, KiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { hex } from "../../../bytes/image-error.ts";
import { readExactly, type Storage } from "../../../storage/storage.ts";
import type { Wrong } from "./findings.ts";
import { ENTRY_SIZE, type SparseHeader } from "./header.ts";
import { type Request, readInOrder } from "./reads.ts";

const MAX_READ = 512 * KiB;

/** An entry for each grain table: its sector, or 0 where none of its grains is stored. Bounded by the header's rules. */
export async function readDirectory(
  storage: Storage,
  { tableCount }: SparseHeader,
  hostOffset: number,
): Promise<Uint32Array> {
  const bytes = await readExactly(storage, hostOffset, tableCount * ENTRY_SIZE, "grain directory");
  const view = new DataView(bytes.buffer);
  return Uint32Array.from({ length: tableCount }, (_, at) => view.getUint32(at * ENTRY_SIZE, true));
}

/** The first table that lies where none can, or where another one lies; none is followed then, so that each is read once. */
export function misplacedTable(entries: Uint32Array, { tableBytes, fileSize }: SparseHeader): Wrong | undefined {
  const outside = entries.findIndex((sector) => sector !== 0 && sector * SECTOR_SIZE + tableBytes > fileSize);
  if (outside >= 0) return wrongTable(entries, outside, "table-out-of-bounds", "ends outside the file");
  const sorted = entries.filter((sector) => sector !== 0).sort();
  const sectors = ceilDiv(tableBytes, SECTOR_SIZE);
  const shared = sorted.findIndex((sector, at) => at > 0 && sector - (sorted[at - 1] as number) < sectors);
  if (shared < 0) return undefined;
  return wrongTable(
    entries,
    entries.lastIndexOf(sorted[shared] as number),
    "table-overlap",
    "lies where another one does",
  );
}

function wrongTable(entries: Uint32Array, index: number, kind: string, what: string): Wrong {
  const hostOffset = (entries[index] as number) * SECTOR_SIZE;
  const structure = `grain table ${index}`;
  return { kind, structure, hostOffset, message: `Grain table ${index} at host offset ${hex(hostOffset)} ${what}` };
}

/** Tables that lie one behind another. */
export interface TableRun extends Request {
  /** Index of the first in the directory. */
  readonly first: number;
  readonly count: number;
}

export function* tableRuns(entries: Uint32Array, { tableBytes }: SparseHeader): Generator<TableRun> {
  const maxCount = Math.max(1, MAX_READ / tableBytes);
  for (let first = 0; first < entries.length; ) {
    const hostOffset = (entries[first] as number) * SECTOR_SIZE;
    let count = 1;
    while (
      hostOffset !== 0 &&
      count < maxCount &&
      (entries[first + count] as number) * SECTOR_SIZE === hostOffset + count * tableBytes
    )
      count++;
    if (hostOffset !== 0) yield { first, count, hostOffset, length: count * tableBytes, structure: "grain table" };
    first += count;
  }
}

/** All tables in the directory's order, each read once; what is read is the caller's until it asks for more. */
export async function* readTables(
  storage: Storage,
  header: SparseHeader,
  entries: Uint32Array,
): AsyncGenerator<TableRun & { readonly view: DataView }> {
  for await (const { request, bytes } of readInOrder(storage, tableRuns(entries, header)))
    yield { ...request, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}
