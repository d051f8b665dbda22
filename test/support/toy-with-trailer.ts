/**
 * The toy with a footer that some of its readers look for first, as those of a dynamic VHD do:
 *
 *   | header | blocks ... | table | footer |
 */

import type { FormatDriver } from "../../src/image/driver.ts";
import { buildToy } from "../formats/toy/builder.ts";
import { toyDriver } from "../formats/toy/driver/driver.ts";

export const TRAILER = Buffer.alloc(512, "the toy's own footer ");

/** A reader that goes by the header alone, so that a cut in the middle of the footer's one write is nothing to it. */
export const toyWithTrailer: FormatDriver = {
  ...toyDriver,
  async open(files) {
    const image = await toyDriver.open(files);
    const { format, storage, virtualSize, clusterSize, fileSize } = image;
    return {
      format,
      storage,
      virtualSize,
      clusterSize,
      fileSize,
      getConversionOptions: () => ({ ...image.getConversionOptions(), trailer: TRAILER.length }),
      getMapping: () => image.getMapping(),
      async getMetadataRanges() {
        const ranges = await image.getMetadataRanges();
        ranges.add(fileSize - TRAILER.length, fileSize);
        return ranges;
      },
      getSpecificInfo: () => image.getSpecificInfo(),
    };
  },
};

export function buildToyWithTrailer(): { readonly bytes: Uint8Array; readonly guest: Uint8Array } {
  const { bytes, guest } = buildToy({ virtualSize: 20 * 4096 - 512, data: [0, 1, 5, 9, 19], seed: 7, table: "last" });
  return { bytes: new Uint8Array(Buffer.concat([bytes, TRAILER])), guest };
}

export function endsInTrailer(bytes: Uint8Array): boolean {
  return TRAILER.equals(bytes.subarray(bytes.length - TRAILER.length));
}
