/** What a converted qcow2 still holds of its old format: bytes of the header cluster behind the new header. */
import { type Rearrangement } from "../../image/write.ts";
import { type Storage } from "../../storage/storage.ts";
import type { Qcow2Header } from "./header.ts";
/**
 * One epoch that zeroes what the header cluster holds beside header, extensions and names; none where it is zero
 * already. Only whole runs of stale bytes are written, so the header itself is not touched.
 */
export declare function planHeaderSettling(storage: Storage, header: Qcow2Header, fileSize: number): Promise<Rearrangement>;
