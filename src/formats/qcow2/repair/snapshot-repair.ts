/** The snapshot table with what version 3 demands of each entry and without more extra data than anyone reads (docs/interop/qcow2.txt, "Snapshots"). */

import { alignUp } from "../../../bytes/align.ts";
import { readZeroFilled } from "../../../storage/storage.ts";
import { MAX_EXTRA_BYTES, MAX_TABLE_BYTES, SnapshotEntry } from "../tables/snapshot-table.ts";
import type { WalkSource } from "../tables/table-walk.ts";

const MIN_V3_EXTRA_BYTES = 16;
/** Of extra data that is written anew: 64-bit VM state size, disk size, instruction count. */
const EXTRA_BYTES = 24;
const HEAD = SnapshotEntry.size;

export interface MendedSnapshots {
  readonly table: Uint8Array;
  /** One for each entry that is mended, as qemu-img says it. */
  readonly lines: readonly string[];
}

/** The table as it should be; undefined where it is so already, or where it can't be read to its end. */
export async function mendSnapshots({ storage, header }: WalkSource): Promise<MendedSnapshots | undefined> {
  if (header.version < 3 || header.snapshotCount === 0) return undefined;
  const entries: Uint8Array[] = [];
  const lines: string[] = [];
  let next = header.snapshotTableHostOffset;
  let size = 0;
  for (let index = 0; index < header.snapshotCount; index++) {
    const head = await readZeroFilled(storage, next, HEAD);
    const { idLength, nameLength, extraDataSize, vmStateSize } = SnapshotEntry.parse(head);
    const keptExtra = Math.min(extraDataSize, MAX_EXTRA_BYTES);
    const extra = await readZeroFilled(storage, next + HEAD, keptExtra);
    const text = await readZeroFilled(storage, next + HEAD + extraDataSize, idLength + nameLength);
    const isIncomplete = extraDataSize < MIN_V3_EXTRA_BYTES;
    if (isIncomplete) lines.push(`Repairing snapshot table entry ${index} is incomplete`);
    if (keptExtra < extraDataSize) {
      lines.push(
        `Discarding too much extra metadata in snapshot table entry ${index} (${extraDataSize} > ${MAX_EXTRA_BYTES})`,
      );
    }
    const newExtra = isIncomplete ? completed(extra, vmStateSize, header.virtualSize) : extra;
    const entry = new Uint8Array(alignUp(HEAD + newExtra.length + text.length, 8));
    entry.set(head);
    new DataView(entry.buffer).setUint32(36, newExtra.length);
    entry.set(newExtra, HEAD);
    entry.set(text, HEAD + newExtra.length);
    entries.push(entry);
    size += entry.length;
    next = alignUp(next + HEAD + extraDataSize + text.length, 8);
    if (size > MAX_TABLE_BYTES || !Number.isSafeInteger(next)) return undefined;
  }
  if (lines.length === 0) return undefined;
  const table = new Uint8Array(size);
  let at = 0;
  for (const entry of entries) {
    table.set(entry, at);
    at += entry.length;
  }
  return { table, lines };
}

function completed(extra: Uint8Array, vmStateSize: number, virtualSize: number): Uint8Array {
  const whole = new Uint8Array(EXTRA_BYTES).fill(0xff, MIN_V3_EXTRA_BYTES);
  const view = new DataView(whole.buffer);
  if (extra.length >= 8) whole.set(extra.subarray(0, 8));
  else view.setUint32(4, vmStateSize);
  view.setUint32(8, Math.floor(virtualSize / 2 ** 32));
  view.setUint32(12, virtualSize % 2 ** 32);
  return whole;
}
