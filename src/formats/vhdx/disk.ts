/** A VHDX as its headers, regions and metadata have it: everything that must be right before its blocks are looked for. */

import type { Storage } from "../../storage/storage.ts";
import { readVhdxHeader, type VhdxHeader } from "./header/header.ts";
import { readParameters, type VhdxParameters } from "./header/metadata.ts";
import { refuserOf } from "./header/refuse.ts";
import { type Regions, readRegions } from "./header/regions.ts";
import { BAT_ENTRY_SIZE, batLayoutOf } from "./tables/bat-entry.ts";

export interface VhdxDisk {
  readonly header: VhdxHeader;
  readonly regions: Regions;
  readonly parameters: VhdxParameters;
}

/** Throws ImageError for the first rule that is broken. */
export async function readVhdxDisk(storage: Storage): Promise<VhdxDisk> {
  const refuse = refuserOf(storage.path);
  const header = await readVhdxHeader(storage, refuse);
  if (header.hasLog) throw refuse("unsupported", "its log has to be replayed first", "log", header.log.start);
  const regions = await readRegions(storage, header.fileSize, header.log, refuse);
  const parameters = await readParameters(storage, regions.metadata, refuse);
  const { start, end } = regions.bat;
  const needed = batLayoutOf(parameters.virtualSize, parameters.blockSize).entryCount * BAT_ENTRY_SIZE;
  if (needed > end - start) {
    const because = `its BAT region of ${end - start} bytes is too short: its disk needs ${needed}`;
    throw refuse("corrupt", because, "BAT", start);
  }
  return { header, regions, parameters };
}
