/** One GPT header, read from its sector with every rule asked, and written anew (UEFI Specification 2.10, section 5.3.2). */

import { ceilDiv, isPowerOfTwo, MiB } from "../../bytes/align.ts";
import { crc32 } from "../../bytes/crc32.ts";
import { ImageError } from "../../bytes/image-error.ts";
import type { Field } from "../../bytes/struct.ts";
import { GPT_REVISION, GPT_SIGNATURE, type GptHeader, gptHeader } from "./layout.ts";

export type SectorSize = 512 | 4096;

/** The specification bounds neither; disks have 128 entries of 128 bytes. */
const MAX_ENTRIES = 16384;
const MAX_ENTRY_SIZE = 4096;
const MAX_ENTRIES_BYTES = 4 * MiB;
const MIN_ENTRY_SIZE = 128;

export function isGptSector(sector: Uint8Array): boolean {
  return GPT_SIGNATURE.every((byte, at) => sector[at] === byte);
}

/**
 * The header in the sector `lba` of a disk of `sectors`. What it says can be believed afterwards: every place lies inside
 * the disk, and the array of entries is bounded. Throws ImageError `corrupt`, or `unsupported` for another revision.
 */
export function parseGptHeader(sector: Uint8Array, lba: number, sectors: number): GptHeader {
  if (!isGptSector(sector)) throw damaged("it has no signature");
  // The sum first: of a header with a wrong one no field means anything.
  const headerSize = readU32(sector, gptHeader.fields.headerSize);
  if (!(headerSize >= gptHeader.size && headerSize <= sector.length)) throw damaged(`its size is ${headerSize}`);
  if (readU32(sector, gptHeader.fields.headerCrc) !== headerCrc(sector, headerSize))
    throw damaged("its CRC-32 is wrong");
  const header = gptHeader.parse(sector);
  if (header.revision !== GPT_REVISION) {
    throw new ImageError("unsupported", `its revision is 0x${header.revision.toString(16)}`);
  }
  if (header.myLba !== lba) throw damaged(`it says that it lies in sector ${header.myLba}`);
  const { entryCount, entrySize, firstUsableLba, lastUsableLba, alternateLba, entriesLba } = header;
  if (!(entryCount >= 1 && entryCount <= MAX_ENTRIES)) throw damaged(`its number of entries is ${entryCount}`);
  if (!isPowerOfTwo(entrySize) || entrySize < MIN_ENTRY_SIZE || entrySize > MAX_ENTRY_SIZE) {
    throw damaged(`its entries have ${entrySize} bytes each`);
  }
  if (entryCount * entrySize > MAX_ENTRIES_BYTES) throw damaged(`its entries need ${entryCount * entrySize} bytes`);
  for (const [what, place] of Object.entries({ firstUsableLba, lastUsableLba, alternateLba, entriesLba })) {
    if (place >= sectors) throw damaged(`its ${what} is ${place}, and the disk has ${sectors} sectors`);
  }
  if (firstUsableLba > lastUsableLba) throw damaged(`its usable sectors go from ${firstUsableLba} to ${lastUsableLba}`);
  return header;
}

/** How many sectors the array of entries takes. */
export function entriesSectors({ entryCount, entrySize }: GptHeader, sectorSize: SectorSize): number {
  return ceilDiv(entryCount * entrySize, sectorSize);
}

/** `sector` with other fields and the sum of it all. What lies behind the specified fields stays as it is. */
export function withHeader(sector: Uint8Array, header: GptHeader): Uint8Array {
  const written = sector.slice();
  gptHeader.encode(header, written);
  gptHeader.encode({ ...header, headerCrc: headerCrc(written, header.headerSize) }, written);
  return written;
}

/** One field alone, since a header with a wrong sum may hold numbers that `parse` refuses. */
function readU32(sector: Uint8Array, field: Field<number>): number {
  return field.read(new DataView(sector.buffer, sector.byteOffset), field.at, "le", "");
}

function headerCrc(sector: Uint8Array, headerSize: number): number {
  const { at, size } = gptHeader.fields.headerCrc;
  return crc32(sector.slice(0, headerSize).fill(0, at, at + size));
}

function damaged(because: string): ImageError {
  return new ImageError("corrupt", because);
}
