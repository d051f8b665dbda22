/**
 * The toy once more, its header in another place: what is told of a commit must hold wherever its sector lies.
 *
 *   |  nobody's  | 4608: header |  nobody's  | blocks ... | table |
 *    the first block
 */

import { RangeSet } from "../../src/bytes/range-set.ts";
import type { FormatDriver } from "../../src/image/driver.ts";
import type { TargetDriver } from "../../src/image/target.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { buildToy } from "../formats/toy/builder.ts";
import { toyDriver } from "../formats/toy/driver/driver.ts";
import { TOY_MAGIC, ToyHeaderFields } from "../formats/toy/driver/header.ts";
import { toyTarget } from "../formats/toy/driver/target.ts";

/** In the second 4 KiB of the file, and not at their start. */
export const HEADER_AT = 4608;
const SECTOR = 512;

export const toyElsewhere: FormatDriver = {
  ...toyDriver,
  marks: [{ hostOffset: HEADER_AT, bytes: TOY_MAGIC }],
  async open({ main, ...files }) {
    const image = await toyDriver.open({ ...files, main: withHeaderAtStart(main) });
    const { format, virtualSize, clusterSize, fileSize } = image;
    const usedHeader = RangeSet.of({ start: HEADER_AT, end: HEADER_AT + ToyHeaderFields.size });
    return {
      format,
      storage: main,
      virtualSize,
      clusterSize,
      fileSize,
      getConversionOptions: () => ({ ...image.getConversionOptions(), usedHeader }),
      getMapping: () => image.getMapping(),
      getMetadataRanges: () => image.getMetadataRanges(),
      getSpecificInfo: () => image.getSpecificInfo(),
    };
  },
};

export const toyElsewhereTarget: TargetDriver = {
  ...toyTarget,
  copyHeader: (...words) => ({ ...toyTarget.copyHeader(...words), hostOffset: HEADER_AT }),
};

/** A toy of 8 KiB blocks, shuffled, whose first sector is nobody's. */
export function buildToyElsewhere(): Uint8Array {
  const { bytes } = buildToy({ blockSize: 8192, virtualSize: 20 * 8192 - 512, data: [0, 1, 5, 9, 19], seed: 7 });
  const swapped = bytes.slice();
  swapped.set(bytes.subarray(0, SECTOR), HEADER_AT);
  swapped.fill(0x5a, 0, SECTOR);
  return swapped;
}

/** The same file to whoever looks for the header in its first sector. */
function withHeaderAtStart(main: Storage): Storage {
  return {
    path: main.path,
    size: () => main.size(),
    close: async () => {},
    async read(hostOffset, into) {
      const count = await main.read(hostOffset, into);
      if (hostOffset >= SECTOR) return count;
      const header = new Uint8Array(SECTOR);
      await main.read(HEADER_AT, header);
      into.set(header.subarray(hostOffset, hostOffset + count));
      return count;
    },
  };
}
