/** What a new VHDX says of itself: the header section at the file's front, and the metadata region (MS-VHDX, "Layout"). */

import { MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { NO_FLAGS } from "../../../bytes/struct.ts";
import { freshId, type Identity } from "../../../image/fresh-id.ts";
import {
  checksumOf,
  FILE_MARK,
  FileParametersFields,
  Guid,
  guidBytes,
  HEADER_PLACES,
  HEADER_SIZE,
  METADATA_TABLE_SIZE,
  MetadataEntryFields,
  MetadataTableFields,
  PLACE_UNIT,
  REGION_TABLE_PLACES,
  REGION_TABLE_SIZE,
  RegionEntryFields,
  RegionTableFields,
  VhdxHeaderFields,
} from "../header/fields.ts";

/** UTF-16, behind the mark. */
const CREATOR = "inplace-convert";

/** Host offsets and lengths of what lies behind the source's old end. */
export interface VhdxRegions {
  readonly log: number;
  readonly metadata: number;
  readonly bat: number;
  readonly batLength: number;
}

export const LOG_LENGTH = MiB;
export const METADATA_LENGTH = MiB;

/** The first MiB, all that is not said of it zeros. */
export function headerSection(
  { log, metadata, bat, batLength }: VhdxRegions,
  identity: Identity | undefined,
): Uint8Array {
  const section = new Uint8Array(PLACE_UNIT);
  const part = (at: number, size: number) => section.subarray(at, at + size);
  section.set(Buffer.from(FILE_MARK));
  section.set(Buffer.from(CREATOR, "utf16le"), FILE_MARK.length);
  const [fileWriteGuid, dataWriteGuid] = [freshId("vhdx", "file", identity, 7), freshId("vhdx", "data", identity, 7)];
  for (const [index, hostOffset] of HEADER_PLACES.entries()) {
    const header = part(hostOffset, HEADER_SIZE);
    VhdxHeaderFields.encode(
      {
        signature: Buffer.from("head"),
        checksum: 0,
        // The second one counts, and the first is who takes its turn.
        sequenceNumber: { ...NO_FLAGS, low: index + 1 },
        fileWriteGuid,
        dataWriteGuid,
        logGuid: new Uint8Array(16),
        logVersion: 0,
        version: 1,
        logLength: LOG_LENGTH,
        logOffset: log,
        reserved: new Uint8Array(VhdxHeaderFields.fields.reserved.size),
      },
      header,
    );
    seal(header);
  }
  const regions = [
    [Guid.bat, bat, batLength],
    [Guid.metadata, metadata, METADATA_LENGTH],
  ] as const;
  for (const hostOffset of REGION_TABLE_PLACES) {
    const table = part(hostOffset, REGION_TABLE_SIZE);
    const values = { signature: Buffer.from("regi"), checksum: 0, entryCount: regions.length, reserved: 0 };
    RegionTableFields.encode(values, table);
    for (const [index, [guid, fileOffset, length]] of regions.entries()) {
      const entry = table.subarray(RegionTableFields.size + index * RegionEntryFields.size);
      RegionEntryFields.encode({ id: guidBytes(guid), fileOffset, length, flags: 1 }, entry);
    }
    seal(table);
  }
  return section;
}

function seal(structure: Uint8Array): void {
  new DataView(structure.buffer, structure.byteOffset).setUint32(4, checksumOf(structure), true);
}

const [OF_DISK, REQUIRED] = [2, 4];

/** The used part of the metadata region. `diskId` is what a guest sees as the disk's own. */
export function metadataOf(virtualSize: number, blockSize: number, diskId: Uint8Array): Uint8Array {
  const parameters = new Uint8Array(FileParametersFields.size);
  FileParametersFields.encode({ blockSize, flags: 0 }, parameters);
  const sectorSize = number(SECTOR_SIZE, 4);
  const items: readonly (readonly [string, Uint8Array, number])[] = [
    [Guid.fileParameters, parameters, REQUIRED],
    [Guid.virtualDiskSize, number(virtualSize, 8), OF_DISK | REQUIRED],
    [Guid.page83Data, diskId, OF_DISK | REQUIRED],
    [Guid.logicalSectorSize, sectorSize, OF_DISK | REQUIRED],
    [Guid.physicalSectorSize, sectorSize, OF_DISK | REQUIRED],
  ];
  const region = new Uint8Array(METADATA_TABLE_SIZE + SECTOR_SIZE);
  const values = { signature: Buffer.from("metadata"), reserved: 0, entryCount: items.length };
  MetadataTableFields.encode({ ...values, reserved2: new Uint8Array(20) }, region);
  let offset = METADATA_TABLE_SIZE;
  for (const [index, [guid, bytes, flags]] of items.entries()) {
    const entry = region.subarray(MetadataTableFields.size + index * MetadataEntryFields.size);
    MetadataEntryFields.encode({ id: guidBytes(guid), offset, length: bytes.length, flags, reserved: 0 }, entry);
    region.set(bytes, offset);
    offset += bytes.length;
  }
  return region;
}

function number(value: number, size: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, value % 2 ** 32, true);
  if (size === 8) view.setUint32(4, Math.floor(value / 2 ** 32), true);
  return bytes;
}
