/** A VHDX as its headers, regions and metadata have it: everything that must be right before its blocks are looked for. */

import { OverlayStorage } from "../../storage/overlay.ts";
import type { Storage } from "../../storage/storage.ts";
import { readVhdxHeader, type VhdxHeader } from "./header/header.ts";
import { readParameters, type VhdxParameters } from "./header/metadata.ts";
import { refuserOf } from "./header/refuse.ts";
import { type Regions, readRegions } from "./header/regions.ts";
import { type Replay, readReplay } from "./log/replay.ts";
import { BAT_ENTRY_SIZE, batLayoutOf } from "./tables/bat-entry.ts";

export interface VhdxDisk {
  readonly header: VhdxHeader;
  /** What the log still has to write; undefined where it is empty. */
  readonly replay: Replay | undefined;
  /** The file as it is once that is done: by it alone everything is read but the guest's data. */
  readonly replayed: Storage;
  /** The length that it has then. */
  readonly fileSize: number;
  readonly regions: Regions;
  readonly parameters: VhdxParameters;
}

/** Throws ImageError for the first rule that is broken. */
export async function readVhdxDisk(storage: Storage): Promise<VhdxDisk> {
  const refuse = refuserOf(storage.path);
  const header = await readVhdxHeader(storage, refuse);
  const replay = header.hasLog ? await readReplay(storage, header, refuse) : undefined;
  const replayed = replay ? new OverlayStorage(storage, replay.writes, { size: replay.fileSize }) : storage;
  const fileSize = replay?.fileSize ?? header.fileSize;
  const regions = await readRegions(replayed, fileSize, header.log, refuse);
  const parameters = await readParameters(replayed, regions.metadata, refuse);
  const { start, end } = regions.bat;
  const needed = batLayoutOf(parameters.virtualSize, parameters.blockSize).entryCount * BAT_ENTRY_SIZE;
  if (needed > end - start) {
    const because = `its BAT region of ${end - start} bytes is too short: its disk needs ${needed}`;
    throw refuse("corrupt", because, "BAT", start);
  }
  return { header, replay, replayed, fileSize, regions, parameters };
}
