/** The VHDX driver (Microsoft's "[MS-VHDX]: Virtual Hard Disk v2 (VHDX) File Format"). */

import type { FormatDriver } from "../../image/driver.ts";
import { FILE_MARK } from "./header/fields.ts";

const reader = () => import("./image.ts");

export const vhdxDriver: FormatDriver = {
  name: "vhdx",
  aliases: [],
  extensions: [".vhdx"],
  marks: [{ hostOffset: 0, bytes: FILE_MARK }],
  guestAt: "nowhere",
  load: reader,
  open: async ({ main }) => (await reader()).openVhdx(main),
};
