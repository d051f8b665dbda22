/** The header area of a QED file as settling leaves it: header, backing name, zeros. */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { NO_FLAGS } from "../../../bytes/struct.ts";
import type { Write } from "../../../image/write.ts";
import { readExactly, type Storage } from "../../../storage/storage.ts";
import { type QedHeader, QedHeaderFields } from "../header/header.ts";
import { piecesOf, readPieces } from "../tables/table-reader.ts";

export interface CleanHeader {
  /** Sector 0 with its unused bytes zeroed and unknown autoclear bits cleared, as a writer must. */
  readonly sector: Uint8Array;
  /** Whether sector 0 on disk differs from `sector`. */
  readonly sectorIsStale: boolean;
  /** Sectors of the header area past sector 0 with stale bytes, merged; in bytes. */
  readonly staleRanges: RangeSet;
  /** The backing name and where it lies; empty without one. */
  readonly name: { readonly start: number; readonly end: number; readonly bytes: Uint8Array };
}

/** Reads the whole header area, piece by piece. */
export async function readCleanHeader(storage: Storage, header: QedHeader): Promise<CleanHeader> {
  const nameBytes = header.backingName ?? new Uint8Array(0);
  const nameStart = header.backingName === undefined ? 0 : header.values.backingNameOffset;
  const nameEnd = nameStart + nameBytes.length;
  const onDisk = await readExactly(storage, 0, SECTOR_SIZE, "QED header");
  const sector = new Uint8Array(SECTOR_SIZE);
  sector.set(onDisk.subarray(nameStart, nameEnd), Math.min(nameStart, SECTOR_SIZE));
  QedHeaderFields.encode({ ...QedHeaderFields.parse(onDisk), autoclearFeatures: NO_FLAGS }, sector);

  const staleRanges = new RangeSet();
  const pieces = piecesOf(SECTOR_SIZE, header.headerBytes - SECTOR_SIZE);
  for await (const { request, bytes } of readPieces(storage, pieces, "QED header")) {
    for (let at = 0; at < bytes.length; at += SECTOR_SIZE) {
      const hostOffset = request.hostOffset + at;
      const isStale = (byte: number, index: number) =>
        byte !== 0 && (hostOffset + index < nameStart || hostOffset + index >= nameEnd);
      if (bytes.subarray(at, at + SECTOR_SIZE).some(isStale)) staleRanges.add(hostOffset, hostOffset + SECTOR_SIZE);
    }
  }
  return {
    sector,
    sectorIsStale: onDisk.some((byte, at) => byte !== sector[at]),
    staleRanges,
    name: { start: nameStart, end: nameEnd, bytes: nameBytes },
  };
}

/** Sector 0 of the same image with its L1 table elsewhere. */
export function withL1Offset(sector: Uint8Array, l1TableOffset: number): Uint8Array {
  const changed = sector.slice();
  QedHeaderFields.encode({ ...QedHeaderFields.parse(sector), l1TableOffset }, changed);
  return changed;
}

export function* cleaningWrites({ sector, sectorIsStale, staleRanges, name }: CleanHeader): Generator<Write> {
  if (sectorIsStale) yield { hostOffset: 0, bytes: sector };
  for (const { start, end } of staleRanges.each()) {
    for (const { hostOffset, length } of piecesOf(start, end - start)) {
      const bytes = new Uint8Array(length);
      const from = Math.max(hostOffset, name.start);
      const to = Math.min(hostOffset + length, name.end);
      if (to > from) bytes.set(name.bytes.subarray(from - name.start, to - name.start), from - hostOffset);
      yield { hostOffset, bytes };
    }
  }
}
