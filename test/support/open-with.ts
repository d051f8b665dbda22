/** Opens an image by a driver itself, so that what it throws is seen as it throws it. */

import { inside } from "../../src/formats/registry.ts";
import type { FormatDriver } from "../../src/image/driver.ts";
import type { Image } from "../../src/image/source.ts";
import type { Storage } from "../../src/storage/storage.ts";

/** @param main the only file of the image */
export function openWith(driver: FormatDriver, main: Storage): Promise<Image> {
  const beside = async (name: string): Promise<Storage> => {
    throw new Error(`${main.path} consists of ${name} too`);
  };
  return driver.open({ main, beside, inside });
}
