/** The Parallels header: its field table and every rule it must keep (Parallels specification, "Header"). */

import { alignUp, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { ImageError, type ImageErrorKind } from "../../bytes/image-error.ts";
import { imageNamed, placeAt, say } from "../../bytes/sentence.ts";
import { bytes, flags64, type StructValues, struct, u32, u64 } from "../../bytes/struct.ts";
import type { Storage } from "../../storage/storage.ts";
import { type FormatExtension, readExtension } from "./extension.ts";

/** An entry of the BAT counts sectors under the older one, tracks under the newer. */
export const MAGICS = { bySector: "WithoutFreeSpace", byTrack: "WithouFreSpacExt" } as const;

export const ParallelsHeaderFields = struct(
  "Parallels header",
  "le",
  { at: 0, size: 64 },
  {
    magic: bytes(0, 16),
    version: u32(16),
    heads: u32(20),
    cylinders: u32(24),
    /** Sectors of a track, by which the disk is allocated. */
    tracks: u32(28),
    /** Entries of the BAT. */
    batCount: u32(32),
    /** The guest's disk, in sectors; under the older magic only the lower half counts. */
    sectorCount: flags64(36),
    inUse: u32(44),
    /** Where a writer puts the first track, in sectors; 0: right behind the BAT. */
    dataOffset: u32(48),
    flags: u32(52),
    /** Of the format extension, in sectors; 0: there is none. */
    extensionOffset: u64(56),
  },
);
type ParallelsValues = StructValues<typeof ParallelsHeaderFields.fields>;

const { fields } = ParallelsHeaderFields;

export const InUse = { open: 0x746f6e59, closed: 0x312e3276, never: 0 } as const;
/** Of `flags`: the disk is all zeros, whatever the BAT says. */
export const EMPTY_FLAG = 1;
export const ENTRY_SIZE = 4;
/** QEMU opens none beyond either. */
const MAX_TRACKS = 4_186_127;
const MAX_BAT_COUNT = 0x1fffffff;

/** A header that keeps all rules, with what follows from it. Offsets and sizes in bytes. */
export interface ParallelsHeader {
  readonly values: ParallelsValues;
  readonly virtualSize: number;
  readonly trackSize: number;
  /** What an entry of the BAT counts. */
  readonly entryUnit: number;
  /** At multiples of which all tracks begin and end: a power of two. */
  readonly placeSize: number;
  /** The largest power of two that divides a track, up to 2 MiB: what stands for clusters. */
  readonly clusterSize: number;
  readonly batEnd: number;
  /** Before it nothing is leaked. */
  readonly dataStart: number;
  readonly fileSize: number;
  readonly extension: FormatExtension | undefined;
}

export type Refuse = (kind: ImageErrorKind, because: string, hostOffset: number, remedy?: string) => ImageError;

/** Reads and validates the header, and the format extension where there is one; throws ImageError for the first rule that is broken. */
export async function readParallelsHeader(storage: Storage): Promise<ParallelsHeader> {
  const refuse: Refuse = (kind, because, hostOffset, remedy = undefined) =>
    new ImageError(kind, say`Cannot open ${imageNamed(storage.path)}`, {
      because: say`${because} (at host offset ${placeAt(hostOffset)})`,
      remedy,
      format: "parallels",
      path: storage.path,
      structure: ParallelsHeaderFields.name,
      hostOffset,
    });
  const fileSize = await storage.size();
  const buffer = new Uint8Array(ParallelsHeaderFields.size);
  const head = buffer.subarray(0, await storage.read(0, buffer));
  const magic = Buffer.from(head.subarray(0, 16)).toString("latin1");
  if (magic !== MAGICS.bySector && magic !== MAGICS.byTrack) {
    throw refuse("not-this-format", "it does not begin with the magic of a Parallels image", 0);
  }
  const values = ParallelsHeaderFields.parse(head);
  const { version, tracks, batCount, sectorCount, dataOffset, extensionOffset } = values;
  if (version !== 2) throw refuse("unsupported", `version ${version} of its header is not 2`, fields.version.at);
  if (tracks === 0) throw refuse("corrupt", "its tracks have 0 sectors", fields.tracks.at);
  if (tracks > MAX_TRACKS) {
    throw refuse("unsupported", `its tracks of ${tracks} sectors are larger than ${MAX_TRACKS}`, fields.tracks.at);
  }
  if (batCount > MAX_BAT_COUNT) {
    throw refuse("unsupported", `its ${counted(batCount, "track")} are more than ${MAX_BAT_COUNT}`, fields.batCount.at);
  }
  const sectors = (magic === MAGICS.byTrack ? sectorCount.high * 2 ** 32 : 0) + sectorCount.low;
  if (sectors > batCount * tracks) {
    const because = `its disk of ${sectors} sectors is beyond what its ${counted(batCount, "track")} hold`;
    throw refuse("corrupt", because, fields.sectorCount.at);
  }
  const batEnd = ParallelsHeaderFields.size + batCount * ENTRY_SIZE;
  if (batEnd > fileSize) {
    throw refuse(
      "out-of-bounds",
      `its BAT of ${counted(batCount, "entry", "entries")} ends outside the file`,
      fields.batCount.at,
    );
  }
  const trackSize = tracks * SECTOR_SIZE;
  const dataStart = dataOffset * SECTOR_SIZE;
  const isByTrack = magic === MAGICS.byTrack;
  return {
    values,
    virtualSize: sectors * SECTOR_SIZE,
    trackSize,
    entryUnit: isByTrack ? trackSize : SECTOR_SIZE,
    placeSize: isByTrack ? largestPower(trackSize) : SECTOR_SIZE,
    clusterSize: Math.min(2 * MiB, largestPower(trackSize)),
    batEnd,
    dataStart: dataStart >= batEnd && dataStart <= fileSize ? dataStart : alignUp(batEnd, SECTOR_SIZE),
    fileSize,
    extension:
      extensionOffset === 0
        ? undefined
        : await readExtension(storage, extensionOffset * SECTOR_SIZE, trackSize, fileSize, refuse),
  };
}

/** The largest power of two that divides it. */
function largestPower(size: number): number {
  let power = SECTOR_SIZE;
  while (size % (2 * power) === 0) power *= 2;
  return power;
}
