/** The commit of a target whose own tables begin with the file: its first sector, and before it what else of them is not there yet. */

import { alignUp, SECTOR_SIZE } from "../bytes/align.ts";
import type { Commit } from "./target.ts";

/** `front` is all that the target says of the file's first bytes, `oldHeader` what lies there now. */
export function frontCommit(front: Uint8Array, oldHeader: Uint8Array): Commit {
  const last = front.findLastIndex((byte, at) => byte !== oldHeader[at]);
  const rest = front.subarray(SECTOR_SIZE, alignUp(last + 1, SECTOR_SIZE));
  return {
    kind: "sector",
    hostOffset: 0,
    sector: front.slice(0, SECTOR_SIZE),
    extras: rest.length > 0 ? [{ hostOffset: SECTOR_SIZE, bytes: rest }] : [],
  };
}
