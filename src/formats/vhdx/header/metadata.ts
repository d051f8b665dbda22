/** What a VHDX's metadata region says of its disk (MS-VHDX, "Metadata Region"). */

import { isAligned, isPowerOfTwo, MiB, SECTOR_SIZE, TiB } from "../../../bytes/align.ts";
import { counted } from "../../../bytes/count-text.ts";
import { hex } from "../../../bytes/image-error.ts";
import { readExactly, type Storage } from "../../../storage/storage.ts";
import {
  FileParametersFields,
  Guid,
  guidText,
  MAX_ENTRY_COUNT,
  MAX_ITEM_SIZE,
  METADATA_TABLE_SIZE,
  MetadataEntryFields,
  MetadataTableFields,
  startsWith,
} from "./fields.ts";
import type { Place, Refuse } from "./refuse.ts";

/** Sizes in bytes. */
export interface VhdxParameters {
  readonly blockSize: number;
  readonly virtualSize: number;
  /** Blocks stay allocated. */
  readonly isFixed: boolean;
}

export const MIN_BLOCK_SIZE = MiB;
export const MAX_BLOCK_SIZE = 256 * MiB;
export const MAX_VIRTUAL_SIZE = 64 * TiB;

interface Item {
  readonly hostOffset: number;
  readonly length: number;
}

const { name: TABLE } = MetadataTableFields;
/** How long the items are that every disk has. */
const SIZES: ReadonlyMap<string, number> = new Map([
  [Guid.fileParameters, FileParametersFields.size],
  [Guid.virtualDiskSize, 8],
  [Guid.page83Data, 16],
  [Guid.logicalSectorSize, 4],
  [Guid.physicalSectorSize, 4],
]);

/** Throws ImageError for the first rule that is broken. */
export async function readParameters(storage: Storage, region: Place, refuse: Refuse): Promise<VhdxParameters> {
  const items = await readItems(storage, region, refuse);
  const itemNamed = async (guid: string, what: string) => {
    const item = items.get(guid);
    if (item === undefined) throw refuse("corrupt", `its metadata says no ${what}`, TABLE, region.start);
    const bytes = await readExactly(storage, item.hostOffset, item.length, what);
    return { bytes, hostOffset: item.hostOffset, view: new DataView(bytes.buffer) };
  };
  const parameters = await itemNamed(Guid.fileParameters, FileParametersFields.name);
  const { blockSize, flags } = FileParametersFields.parse(parameters.bytes);
  const refuseParameters = (kind: "corrupt" | "unsupported", because: string, remedy?: string) =>
    refuse(kind, because, FileParametersFields.name, parameters.hostOffset, remedy);
  if ((flags & 2) !== 0 || items.has(Guid.parentLocator)) {
    const because = "it is a VHDX image (differencing): a part of its disk lies in another file, its parent";
    throw refuseParameters("unsupported", because, "merge it into its parent with what made it");
  }
  if (flags > 1) throw refuseParameters("unsupported", `flags ${hex(flags)} of its file parameters are unknown`);
  if (!isPowerOfTwo(blockSize) || blockSize < MIN_BLOCK_SIZE || blockSize > MAX_BLOCK_SIZE) {
    throw refuseParameters("corrupt", `block size ${blockSize} is no power of two from 1 MiB to 256 MiB`);
  }
  const logical = await itemNamed(Guid.logicalSectorSize, "logical sector size");
  const logicalSize = logical.view.getUint32(0, true);
  if (logicalSize !== SECTOR_SIZE) {
    const isKnown = logicalSize === 4096;
    const because = `its disk has sectors of ${logicalSize} bytes, not ${SECTOR_SIZE}`;
    throw refuse(isKnown ? "unsupported" : "corrupt", because, "logical sector size", logical.hostOffset);
  }
  const physical = await itemNamed(Guid.physicalSectorSize, "physical sector size");
  const physicalSize = physical.view.getUint32(0, true);
  if (physicalSize !== 512 && physicalSize !== 4096) {
    const because = `physical sector size ${physicalSize} is neither 512 nor 4096`;
    throw refuse("corrupt", because, "physical sector size", physical.hostOffset);
  }
  await itemNamed(Guid.page83Data, "page 83 data");
  const size = await itemNamed(Guid.virtualDiskSize, "virtual disk size");
  const virtualSize = size.view.getUint32(4, true) * 2 ** 32 + size.view.getUint32(0, true);
  if (virtualSize === 0 || virtualSize > MAX_VIRTUAL_SIZE || !isAligned(virtualSize, SECTOR_SIZE)) {
    const because = `its disk of ${virtualSize} bytes is none of whole sectors, from 1 to 64 TiB of them`;
    throw refuse("corrupt", because, "virtual disk size", size.hostOffset);
  }
  return { blockSize, virtualSize, isFixed: flags === 1 };
}

/** By GUID, those that the format knows. */
async function readItems(storage: Storage, region: Place, refuse: Refuse): Promise<ReadonlyMap<string, Item>> {
  const table = await readExactly(storage, region.start, METADATA_TABLE_SIZE, TABLE);
  if (!startsWith(table, "metadata")) {
    throw refuse("corrupt", "its metadata region does not begin with a metadata table", TABLE, region.start);
  }
  const { entryCount } = MetadataTableFields.parse(table);
  if (entryCount > MAX_ENTRY_COUNT) {
    const because = `its metadata table has ${counted(entryCount, "entry", "entries")}, more than ${MAX_ENTRY_COUNT}`;
    throw refuse("corrupt", because, TABLE, region.start + MetadataTableFields.fields.entryCount.at);
  }
  const items = new Map<string, Item>();
  const places: { readonly guid: string; readonly start: number; readonly end: number }[] = [];
  for (let index = 0; index < entryCount; index++) {
    const at = MetadataTableFields.size + index * MetadataEntryFields.size;
    const { id, offset, length, flags } = MetadataEntryFields.parse(table.subarray(at));
    const guid = guidText(id);
    const refuseItem = (kind: "corrupt" | "unsupported", because: string) =>
      refuse(kind, `its metadata item ${guid} ${because}`, TABLE, region.start + at);
    const isUsers = (flags & 1) === 1;
    const size = isUsers ? undefined : SIZES.get(guid);
    const isKnown = size !== undefined || (!isUsers && guid === Guid.parentLocator);
    if (!isKnown && (flags & 4) !== 0) throw refuseItem("unsupported", "is required and unknown");
    if (size !== undefined && length !== size) throw refuseItem("corrupt", `has ${length} bytes, not ${size}`);
    const end = offset + length;
    const isInside = offset >= METADATA_TABLE_SIZE && region.start + end <= region.end && length <= MAX_ITEM_SIZE;
    if (length > 0 && !isInside) throw refuseItem("corrupt", `lies outside the region's items`);
    if (isKnown && items.has(guid)) throw refuseItem("corrupt", "is there twice");
    if (isKnown) items.set(guid, { hostOffset: region.start + offset, length });
    if (length > 0) places.push({ guid, start: offset, end });
  }
  places.sort((a, b) => a.start - b.start);
  for (const [at, { guid, start }] of places.entries()) {
    const before = places[at - 1];
    if (before === undefined || before.end <= start) continue;
    const because = `its metadata item ${guid} overlaps item ${before.guid}`;
    throw refuse("corrupt", because, TABLE, region.start + start);
  }
  return items;
}
