/** The VDI driver, of VirtualBox's own images (header.ts): dynamic and static ones as sources, dynamic ones as targets. */

import type { FormatDriver } from "../../image/driver.ts";
import { VDI_MARK } from "./header.ts";

const reader = () => import("./image.ts");

export const vdiDriver: FormatDriver = {
  name: "vdi",
  aliases: [],
  extensions: [".vdi"],
  // The text before it says which program made the image, and may be any.
  marks: [VDI_MARK],
  guestAt: "nowhere",
  load: reader,
  open: async ({ main }) => (await reader()).openVdi(main),
};
