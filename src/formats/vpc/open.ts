/** Opens a VHD as what its footer says that it is. */

import type { ImageFiles } from "../../image/driver.ts";
import type { Image } from "../../image/source.ts";
import { openDynamic } from "./dynamic/image.ts";
import { DiskType } from "./footer.ts";
import { findFooter } from "./found-footer.ts";
import { openFixed } from "./image.ts";
import { SIZE_FROM } from "./size.ts";

/** The user's `size_from` chooses between two sizes that disagree (size.ts). */
export async function openVpc({ main, options }: Pick<ImageFiles, "main" | "options">): Promise<Image> {
  const found = await findFooter(main);
  const sizeFrom = options?.[SIZE_FROM.name] as string | undefined;
  return found.footer.diskType === DiskType.dynamic
    ? openDynamic(main, found, sizeFrom)
    : openFixed(main, found, sizeFrom);
}
