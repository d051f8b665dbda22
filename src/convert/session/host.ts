/** What a conversion needs of the machine it runs on; tests put a file system in memory and other processes here. */

import { FileVolume } from "../../storage/file/file-volume.ts";
import type { Volume } from "../../storage/storage.ts";
import { type ProcessTable, systemProcesses } from "../../storage/users/process-table.ts";

export interface Host {
  readonly volume: Volume;
  readonly processes: ProcessTable;
  /** Milliseconds; only differences are used, and no decision depends on them. */
  now(): number;
}

export function thisHost(): Host {
  return { volume: new FileVolume(), processes: systemProcesses(), now: () => performance.now() };
}
