/** The VHDX driver (Microsoft's "[MS-VHDX]: Virtual Hard Disk v2 (VHDX) File Format"). */

import type { FormatDriver } from "../../image/driver.ts";
import { FILE_MARK } from "./header/fields.ts";
import { openVhdx } from "./image.ts";
import { vhdxTarget } from "./target/target.ts";

export const vhdxDriver: FormatDriver = {
  name: "vhdx",
  aliases: [],
  extensions: [".vhdx"],
  marks: [{ hostOffset: 0, bytes: FILE_MARK }],
  guestAt: "nowhere",
  open: ({ main }) => openVhdx(main),
  target: vhdxTarget,
};
