/** A VHDX's log, made byte by byte, by nothing of `src/`. */

import { guid, KiB, MiB, seal } from "./bytes.ts";

const SECTOR = 4 * KiB;

export type LogWrite =
  /** 4 KiB, placed at `hostOffset`. */
  | { readonly hostOffset: number; readonly sector: Uint8Array }
  | { readonly hostOffset: number; readonly zeros: number };

export interface LogEntry {
  readonly sequenceNumber: bigint;
  /** Where in the log it begins; by default right behind the entry before, round the log's end. */
  readonly at?: number;
  /** Where the first entry that is still needed begins; by default the first of the list. */
  readonly tail?: number;
  readonly writes: readonly LogWrite[];
  readonly flushedFileOffset: number;
  readonly lastFileOffset: number;
  readonly guid?: string;
  /** Changes the entry's bytes before it is sealed, or after. */
  change?(bytes: Buffer): unknown;
  spoil?(bytes: Buffer): unknown;
}

export interface LogDescription {
  /** In the header. */
  readonly guid: string;
  readonly entries: readonly LogEntry[];
  /** Bytes; default 1 MiB. */
  readonly length?: number;
}

export function writeLog(file: Buffer, logAt: number, { guid: logGuid, entries, length = MiB }: LogDescription): void {
  const first = entries[0]?.at ?? 0;
  let next = first;
  for (const { at = next, tail = first, ...entry } of entries) {
    const bytes = logEntry({ guid: logGuid, ...entry }, tail);
    for (let done = 0; done < bytes.length; done += SECTOR) {
      bytes.copy(file, logAt + ((at + done) % length), done, done + SECTOR);
    }
    next = (at + bytes.length) % length;
  }
}

export function logEntry(entry: LogEntry & { readonly guid: string }, tail: number): Buffer {
  const { writes, sequenceNumber, flushedFileOffset, lastFileOffset } = entry;
  const sectors = writes.flatMap((write) => ("sector" in write ? [Buffer.from(write.sector)] : []));
  const descriptors = Math.ceil((64 + 32 * writes.length) / SECTOR) * SECTOR;
  const bytes = Buffer.alloc(descriptors + sectors.length * SECTOR);
  bytes.write("loge", 0, "latin1");
  bytes.writeUInt32LE(bytes.length, 8);
  bytes.writeUInt32LE(tail, 12);
  bytes.writeBigUInt64LE(sequenceNumber, 16);
  bytes.writeUInt32LE(writes.length, 24);
  guid(entry.guid).copy(bytes, 32);
  bytes.writeBigUInt64LE(BigInt(flushedFileOffset), 48);
  bytes.writeBigUInt64LE(BigInt(lastFileOffset), 56);
  for (const [index, write] of writes.entries()) {
    const at = 64 + 32 * index;
    if ("sector" in write) {
      bytes.write("desc", at, "latin1");
      Buffer.from(write.sector).copy(bytes, at + 4, 4092, 4096);
      Buffer.from(write.sector).copy(bytes, at + 8, 0, 8);
    } else {
      bytes.write("zero", at, "latin1");
      bytes.writeBigUInt64LE(BigInt(write.zeros), at + 8);
    }
    bytes.writeBigUInt64LE(BigInt(write.hostOffset), at + 16);
    bytes.writeBigUInt64LE(sequenceNumber, at + 24);
  }
  for (const [index, sector] of sectors.entries()) {
    const at = descriptors + index * SECTOR;
    bytes.write("data", at, "latin1");
    bytes.writeUInt32LE(Number(sequenceNumber >> 32n), at + 4);
    sector.copy(bytes, at + 8, 8, 4092);
    bytes.writeUInt32LE(Number(sequenceNumber & 0xffff_ffffn), at + 4092);
  }
  entry.change?.(bytes);
  seal(bytes);
  entry.spoil?.(bytes);
  return bytes;
}
