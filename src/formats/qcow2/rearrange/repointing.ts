/**
 * Words that follow what they point at: read from the live tables, compared with what the model says, and written with
 * the new place and the old flags. A word in a table that moves at the same time is written at both places, since until
 * the epoch is durable either may be the one that is read.
 */

import { KiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { hex, type ImageError } from "../../../bytes/image-error.ts";
import { HEADER_PIECE, type PieceTable } from "../../../image/piece-table.ts";
import type { Write } from "../../../image/write.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import { compressedHostOffset, L2Mask, standardHostOffset } from "../tables/l2-entry.ts";
import type { PointerWords } from "./pointer-words.ts";
import { cannotRearrange } from "./rearrange-error.ts";

/** Words that lie no further apart are read together. */
const MAX_GAP = 4 * KiB;
const MAX_READ = 256 * KiB;
const WORD = 8;

export interface WordsPlace {
  readonly storage: Storage;
  readonly pieces: PieceTable;
  readonly words: PointerWords;
  readonly clusterBits: number;
}

/** One word to be changed. */
interface Change {
  readonly hostOffset: number;
  /** Where its table moves to in the same epoch. */
  readonly twinHostOffset: number | undefined;
  readonly isCompressed: boolean;
  readonly piece: number;
  /** Undefined: it shall point nowhere. */
  readonly toCluster: number | undefined;
}

/** `moving` maps pieces to the clusters they go to, undefined for what is to be pointed at no more. Ascending. */
export async function repointingWrites(
  place: WordsPlace,
  moving: ReadonlyMap<number, number | undefined>,
): Promise<Write[]> {
  const { pieces, words } = place;
  const changes: Change[] = [];
  let headerSector: Uint8Array | undefined;
  for (const [piece, toCluster] of moving) {
    words.each(piece, (holder, within, isCompressed) => {
      const holderCluster = moving.get(holder);
      const twinHostOffset = holderCluster === undefined ? undefined : holderCluster * pieces.clusterSize + within;
      changes.push({
        hostOffset: pieces.hostOffsetOf(holder) + within,
        twinHostOffset,
        isCompressed,
        piece,
        toCluster,
      });
    });
  }
  changes.sort((a, b) => a.hostOffset - b.hostOffset);
  const written: Write[] = [];
  for await (const { change, bytes } of readWords(place.storage, changes)) {
    changeWord(place, change, bytes);
    if (change.hostOffset < SECTOR_SIZE) {
      // The header's first sector is written whole, as every other header is.
      headerSector ??= await readZeroFilled(place.storage, pieces.hostOffsetOf(HEADER_PIECE), SECTOR_SIZE);
      headerSector.set(bytes, change.hostOffset);
      continue;
    }
    written.push({ hostOffset: change.hostOffset, bytes });
    if (change.twinHostOffset !== undefined) written.push({ hostOffset: change.twinHostOffset, bytes });
  }
  if (headerSector !== undefined) written.push({ hostOffset: 0, bytes: headerSector });
  return joinedWrites(written);
}

async function* readWords(
  storage: Storage,
  changes: readonly Change[],
): AsyncGenerator<{ readonly change: Change; readonly bytes: Uint8Array }> {
  for (let first = 0; first < changes.length; ) {
    const start = (changes[first] as Change).hostOffset;
    let next = first + 1;
    for (let end = start + WORD; next < changes.length; next++) {
      const { hostOffset } = changes[next] as Change;
      if (hostOffset - end > MAX_GAP || hostOffset + WORD - start > MAX_READ) break;
      end = hostOffset + WORD;
    }
    const length = (changes[next - 1] as Change).hostOffset + WORD - start;
    const bytes = await readZeroFilled(storage, start, length);
    for (; first < next; first++) {
      const change = changes[first] as Change;
      yield { change, bytes: bytes.slice(change.hostOffset - start, change.hostOffset - start + WORD) };
    }
  }
}

/** Puts the new place into the word, if it holds the old one. */
function changeWord({ storage, pieces, clusterBits }: WordsPlace, change: Change, bytes: Uint8Array): void {
  const { isCompressed, piece, toCluster } = change;
  const view = new DataView(bytes.buffer, bytes.byteOffset, WORD);
  const [high, low] = [view.getUint32(0), view.getUint32(4)];
  const from = pieces.hostOffsetOf(piece);
  const found = isCompressed ? compressedHostOffset(high, low, clusterBits) : standardHostOffset(high, low);
  const end = isCompressed ? from + pieces.lengthOf(piece) * pieces.clusterSize : from + 1;
  const isMarked = (high & L2Mask.compressedHigh) !== 0;
  if (isMarked !== isCompressed || found < from || found >= end) throw changed(storage, change, from);
  if (toCluster === undefined) {
    bytes.fill(0);
    return;
  }
  // The place takes the low bits of the word, whatever it is, and what lies above and below them stays.
  const to = found - from + toCluster * pieces.clusterSize;
  const limit = isCompressed ? 2 ** (70 - clusterBits) : 2 ** 56;
  if (to >= limit) {
    throw cannotRearrange("out-of-bounds", storage.path, `no entry points as far as host offset ${hex(to)}`, {
      hostOffset: change.hostOffset,
    });
  }
  const flagsHigh = high - Math.floor(found / 2 ** 32);
  const flagsLow = low - (found % 2 ** 32);
  view.setUint32(0, flagsHigh + Math.floor(to / 2 ** 32));
  view.setUint32(4, flagsLow + (to % 2 ** 32));
}

function changed({ path }: Storage, { hostOffset }: Change, place: number): ImageError {
  const because = `the word at host offset ${hex(hostOffset)} does not point at ${hex(place)} any more`;
  return cannotRearrange("changed-underneath", path, because, { hostOffset });
}

/** Ascending, neighbours together; the header's sector by itself. */
export function joinedWrites(writes: readonly Write[]): Write[] {
  const sorted = [...writes].sort((a, b) => a.hostOffset - b.hostOffset);
  const joined: Write[] = [];
  for (let first = 0; first < sorted.length; ) {
    const { hostOffset } = sorted[first] as Write;
    let end = hostOffset;
    let next = first;
    do end += (sorted[next++] as Write).bytes.length;
    while (hostOffset > 0 && sorted[next]?.hostOffset === end);
    const bytes = new Uint8Array(end - hostOffset);
    for (; first < next; first++) {
      const write = sorted[first] as Write;
      bytes.set(write.bytes, write.hostOffset - hostOffset);
    }
    joined.push({ hostOffset, bytes });
  }
  return joined;
}
