/** One entry of a VHDX's log: whether it is whole, and what it writes where (MS-VHDX, "Log Entry"). */

import { alignUp, isAligned } from "../../../bytes/align.ts";
import { ImageError } from "../../../bytes/image-error.ts";
import { isSound, startsWith } from "../header/fields.ts";
import {
  DataDescriptorFields,
  DataSector,
  DESCRIPTOR_SIZE,
  LOG_SECTOR,
  LogEntryFields,
  ZeroDescriptorFields,
} from "./fields.ts";

/** Of whole sectors; `sector` is undefined where they become zeros. */
export interface LoggedWrite {
  readonly hostOffset: number;
  readonly length: number;
  readonly sector: Uint8Array | undefined;
}

export interface LogEntry {
  /** Where in the log it begins, and how long it is, in bytes. */
  readonly at: number;
  readonly length: number;
  readonly tail: number;
  readonly sequenceNumber: bigint;
  readonly flushedFileOffset: number;
  readonly lastFileOffset: number;
  readonly writes: readonly LoggedWrite[];
}

/** The log's bytes as a ring. */
export class LogRing {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** The sector at `at`, round the end. */
  sector(at: number): Uint8Array {
    const start = at % this.length;
    return this.#bytes.subarray(start, start + LOG_SECTOR);
  }

  slice(at: number, length: number): Uint8Array {
    const start = at % this.length;
    const first = this.#bytes.subarray(start, start + length);
    return first.length === length ? first : Buffer.concat([first, this.#bytes.subarray(0, length - first.length)]);
  }
}

/**
 * The entry that begins at `at`; undefined where none does that is whole. Before its sum is taken each of its sectors has
 * to be of its kind: no sector is of two entries that are looked at whole, so that all takes no longer than the log is.
 */
export function readLogEntry(ring: LogRing, at: number, logGuid: Uint8Array): LogEntry | undefined {
  const first = ring.sector(at);
  if (!startsWith(first, "loge")) return undefined;
  try {
    const head = LogEntryFields.parse(first);
    const { entryLength: length, tail, descriptorCount } = head;
    const sequenceNumber = numberOf(head.sequenceNumber);
    const isPlaced = isAligned(length, LOG_SECTOR) && length > 0 && length <= ring.length;
    const isLed = isAligned(tail, LOG_SECTOR) && tail < ring.length && sequenceNumber > 0n;
    if (!isPlaced || !isLed || Buffer.compare(head.logGuid, logGuid) !== 0) return undefined;
    const descriptorSize = alignUp(LogEntryFields.size + descriptorCount * DESCRIPTOR_SIZE, LOG_SECTOR);
    if (descriptorSize > length || !hasKinds(ring, at, descriptorSize, length)) return undefined;
    const bytes = ring.slice(at, length);
    if (!isSound(bytes, "loge")) return undefined;
    const writes = readWrites(bytes, descriptorCount, descriptorSize, head.sequenceNumber);
    return writes && { ...head, at, length, sequenceNumber, writes };
  } catch (error) {
    // An offset beyond all numbers: nobody has written that.
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** By how its sectors begin: further ones of descriptors, then those of data. */
function hasKinds(ring: LogRing, at: number, descriptorSize: number, length: number): boolean {
  for (let done = LOG_SECTOR; done < length; done += LOG_SECTOR) {
    const sector = ring.sector(at + done);
    const isRight =
      done < descriptorSize ? startsWith(sector, "desc") || startsWith(sector, "zero") : startsWith(sector, "data");
    if (!isRight) return false;
  }
  return true;
}

/** Undefined where a descriptor or a sector of data is not of this entry. */
function readWrites(
  bytes: Uint8Array,
  descriptorCount: number,
  descriptorSize: number,
  sequenceNumber: Uint8Array,
): readonly LoggedWrite[] | undefined {
  const writes: LoggedWrite[] = [];
  let dataAt = descriptorSize;
  for (let index = 0; index < descriptorCount; index++) {
    const at = LogEntryFields.size + index * DESCRIPTOR_SIZE;
    const descriptor = bytes.subarray(at, at + DESCRIPTOR_SIZE);
    if (startsWith(descriptor, "zero")) {
      const { zeroLength: length, fileOffset: hostOffset, ...zero } = ZeroDescriptorFields.parse(descriptor);
      if (!isAligned(length, LOG_SECTOR) || !isOf(zero.sequenceNumber, sequenceNumber)) return undefined;
      writes.push({ hostOffset, length, sector: undefined });
    } else {
      const { fileOffset: hostOffset, ...data } = DataDescriptorFields.parse(descriptor);
      const stored = bytes.subarray(dataAt, dataAt + LOG_SECTOR);
      dataAt += LOG_SECTOR;
      if (!startsWith(descriptor, "desc") || stored.length < LOG_SECTOR) return undefined;
      const { sequenceHigh, data: dataStart, sequenceLow } = DataSector;
      const isItsOwn =
        isOf(data.sequenceNumber, sequenceNumber) &&
        isOf(stored.subarray(sequenceHigh, dataStart), sequenceNumber.subarray(4)) &&
        isOf(stored.subarray(sequenceLow), sequenceNumber.subarray(0, 4));
      if (!isItsOwn) return undefined;
      const sector = stored.slice();
      sector.set(data.leadingBytes, 0);
      sector.set(data.trailingBytes, sequenceLow);
      writes.push({ hostOffset, length: LOG_SECTOR, sector });
    }
    if (!isAligned((writes.at(-1) as LoggedWrite).hostOffset, LOG_SECTOR)) return undefined;
  }
  return dataAt === bytes.length ? writes : undefined;
}

function isOf(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function numberOf(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}
