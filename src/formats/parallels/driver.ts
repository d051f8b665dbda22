/** The Parallels driver, of expandable disks (docs/interop/parallels of QEMU): both magics as sources, the newer one as a target. */

import type { FormatDriver } from "../../image/driver.ts";
import { bundle } from "./bundle.ts";
import { MAGICS } from "./header.ts";

const reader = () => import("./image.ts");

export const parallelsDriver: FormatDriver = {
  name: "parallels",
  aliases: [],
  // A bundle's folder ends in .hdd, the file in it in .hds; a file alone has either.
  extensions: [".hds", ".hdd", ".parallels"],
  marks: Object.values(MAGICS).map((bytes) => ({ hostOffset: 0, bytes })),
  guestAt: "nowhere",
  load: reader,
  open: async ({ main }) => (await reader()).openParallels(main),
  bundle,
};
