/** A disk's GPT as its primary header tells it, found in the guest's bytes and believed only when every rule holds. */

import { alignDown } from "../../bytes/align.ts";
import { crc32 } from "../../bytes/crc32.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { entriesSectors, isGptSector, parseGptHeader, type SectorSize } from "./header.ts";
import { type GptHeader, gptEntry, masterBootRecord, PRIMARY_LBA } from "./layout.ts";
import { type MbrKind, mbrKind } from "./protective-mbr.ts";

/** The guest's bytes, as GuestReader gives them. */
export interface GuestBytes {
  read(guestOffset: number, into: Uint8Array): Promise<void>;
}

export interface Gpt {
  readonly sectorSize: SectorSize;
  /** The disk's first 512 bytes. */
  readonly mbr: Uint8Array;
  readonly mbrKind: MbrKind;
  /** The primary header's sector, and what it says. */
  readonly sector: Uint8Array;
  readonly header: GptHeader;
  /** As many bytes as the header says. */
  readonly entries: Uint8Array;
  readonly partitions: readonly Partition[];
}

export interface Partition {
  /** Counted from 1, as everyone does. */
  readonly number: number;
  readonly lastLba: number;
}

/** Before, since nobody finds the backup in the middle of a grown disk: `sgdisk -e` then takes it for one without partitions. */
const REPAIR =
  "repair it before the disk grows (gdisk takes what is damaged from the backup: v looks at it, w writes it)";
const SECTOR_SIZES: readonly SectorSize[] = [512, 4096];

/** Bytes of a disk of `size`; zeros past its end, whatever the reader makes of such a place. */
export async function readGuest(
  guest: GuestBytes,
  size: number,
  guestOffset: number,
  length: number,
): Promise<Uint8Array> {
  const into = new Uint8Array(length);
  const within = Math.min(length, size - guestOffset);
  if (within > 0) await guest.read(guestOffset, into.subarray(0, within));
  return into;
}

/** Where the disk's GPT would be: what its first sector says, and the sector sizes for which a header's mark is found. */
export interface GptMarks {
  readonly mbr: Uint8Array;
  readonly kind: MbrKind;
  readonly sectorSizes: readonly SectorSize[];
}

export async function findGptMarks(guest: GuestBytes, size: number): Promise<GptMarks> {
  const front = await readGuest(guest, size, 0, 2 * 4096);
  const mbr = front.slice(0, masterBootRecord.size);
  const sectorSizes = SECTOR_SIZES.filter((sectorSize) => isGptSector(front.subarray(PRIMARY_LBA * sectorSize)));
  return { mbr, kind: mbrKind(mbr), sectorSizes };
}

/** Whether the disk has no GPT: nobody takes a header's mark for one where the MBR has records and none says so. */
export function hasNoGpt({ kind, sectorSizes }: GptMarks): boolean {
  return kind === "plain" || (kind === "none" && sectorSizes.length === 0);
}

/** Throws ImageError for a GPT that is damaged, or that could be read in two ways. */
export async function readGpt(guest: GuestBytes, size: number, { mbr, kind, sectorSizes }: GptMarks): Promise<Gpt> {
  const [sectorSize] = sectorSizes;
  if (sectorSize === undefined) throw gptError("its primary header is gone, though the MBR says that there is one", 0);
  if (sectorSizes.length > 1) {
    const because = "it has a header for sectors of 512 bytes and one for sectors of 4096";
    throw gptError(because, 0, { remedy: "clear the one that is not in use" });
  }
  if (kind === "none") throw gptError("there is a header, but no protective MBR", 0);
  const guestOffset = PRIMARY_LBA * sectorSize;
  const sector = await readGuest(guest, size, guestOffset, sectorSize);
  const sectors = alignDown(size, sectorSize) / sectorSize;
  const header = told("primary header", guestOffset, () => parseGptHeader(sector, PRIMARY_LBA, sectors));
  const refuse = (because: string) => gptError(`its primary header can't be used: ${because}`, guestOffset);
  const { entriesLba, firstUsableLba, lastUsableLba, alternateLba, entryCount, entrySize } = header;
  if (entriesLba <= PRIMARY_LBA || entriesLba + entriesSectors(header, sectorSize) > firstUsableLba) {
    throw refuse(`the entries at sector ${entriesLba} do not lie before the first usable sector, ${firstUsableLba}`);
  }
  if (alternateLba <= lastUsableLba) {
    throw refuse(`the backup header's sector, ${alternateLba}, lies before the last usable one, ${lastUsableLba}`);
  }
  const entries = await readGuest(guest, size, entriesLba * sectorSize, entryCount * entrySize);
  if (crc32(entries) !== header.entriesCrc) {
    throw gptError("the CRC-32 of its partition entries is wrong", entriesLba * sectorSize);
  }
  const partitions = told("partition entries", entriesLba * sectorSize, () => partitionsOf(header, entries));
  return { sectorSize, mbr, mbrKind: kind, sector, header, entries, partitions };
}

/** The entries that are used. What an unused one holds beside its type means nothing. */
function partitionsOf({ entrySize, firstUsableLba, lastUsableLba }: GptHeader, entries: Uint8Array): Partition[] {
  const partitions: Partition[] = [];
  for (let at = 0; at < entries.length; at += entrySize) {
    const bytes = entries.subarray(at, at + gptEntry.size);
    if (bytes.subarray(0, 16).every((byte) => byte === 0)) continue;
    const number = at / entrySize + 1;
    const { firstLba, lastLba } = gptEntry.parse(bytes);
    if (firstLba < firstUsableLba || lastLba < firstLba || lastLba > lastUsableLba) {
      const usable = `${firstUsableLba} to ${lastUsableLba}`;
      throw new ImageError(
        "corrupt",
        `partition ${number} goes from sector ${firstLba} to ${lastLba}, usable are ${usable}`,
      );
    }
    partitions.push({ number, lastLba });
  }
  return partitions;
}

/** What `read` answers; its ImageError says where in the disk it came about. */
function told<T>(structure: string, guestOffset: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw gptError(`its ${structure} can't be used: ${error.problem}`, guestOffset, { cause: error });
  }
}

/** A primary that can't be trusted is nothing to build on. */
function gptError(
  because: string,
  guestOffset: number,
  { cause, remedy = REPAIR }: { readonly cause?: ImageError; readonly remedy?: string } = {},
): ImageError {
  return new ImageError(cause?.kind ?? "corrupt", "Cannot relocate the disk's GPT", {
    because,
    remedy: [...(cause?.kind === "unsupported" ? [] : [remedy]), "leave it where it is with gpt=keep"],
    state: "nothing was written",
    structure: "GPT",
    guestOffset,
    cause,
  });
}
