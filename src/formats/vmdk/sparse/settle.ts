/**
 * The end of a stream's making: what the file held behind it is cut off, and the header leaves it to the footer to say where
 * the directory is, as that of every stream which could not be gone back in when it was written.
 */

import { alignUp, SECTOR_SIZE } from "../../../bytes/align.ts";
import { type Epoch, NO_REARRANGEMENT, type Rearrangement } from "../../../image/write.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import { headerSector, IN_FOOTER } from "./fields.ts";
import { ENTRY_SIZE, FOOTER_LENGTH, isEndOfStream, type SparseHeader } from "./header.ts";

/** Nothing where no footer of the image lies right behind its directory: many streams have none. */
export async function planStreamSettling(storage: Storage, header: SparseHeader): Promise<Rearrangement> {
  const { values, fileSize, directoryOffset, tableCount, hasFooter, isCompressed } = header;
  const nothing = { ...NO_REARRANGEMENT, fileSize };
  if (!isCompressed || hasFooter) return nothing;
  const start = directoryOffset + alignUp(tableCount * ENTRY_SIZE, SECTOR_SIZE);
  const end = start + FOOTER_LENGTH;
  if (end > fileSize) return nothing;
  const bytes = await readZeroFilled(storage, start, FOOTER_LENGTH);
  const footer = bytes.subarray(SECTOR_SIZE, 2 * SECTOR_SIZE);
  if (!isEndOfStream(bytes) || Buffer.compare(footer, headerSector(values)) !== 0) return nothing;
  const sector = headerSector({ ...values, directoryOffset: IN_FOOTER });
  const cut: Epoch[] = end < fileSize ? [{ purpose: "cut the file behind the stream", fileSize: end }] : [];
  return {
    epochs: [
      ...cut,
      { purpose: "leave it to the footer", repoints: true, writes: () => [{ hostOffset: 0, bytes: sector }] },
    ],
    fileSize: end,
    bytesMoved: 0,
    bytesWritten: SECTOR_SIZE,
  };
}
