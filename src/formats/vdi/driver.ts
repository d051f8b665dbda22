/** The VDI driver, of VirtualBox's own images (header.ts): dynamic and static ones, as sources. */

import type { FormatDriver } from "../../image/driver.ts";
import { VDI_MARK } from "./header.ts";
import { openVdi } from "./image.ts";

export const vdiDriver: FormatDriver = {
  name: "vdi",
  aliases: [],
  extensions: [".vdi"],
  // The text before it says which program made the image, and may be any.
  marks: [VDI_MARK],
  guestAt: "nowhere",
  open: ({ main }) => openVdi(main),
};
