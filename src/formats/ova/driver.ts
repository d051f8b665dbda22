/** The OVA driver, a name that qemu-img lacks: a tar archive of an OVF descriptor and one disk, read where it stands. */

import type { FormatDriver } from "../../image/driver.ts";

const reader = () => import("./image.ts");

export const ovaDriver: FormatDriver = {
  name: "ova",
  aliases: [],
  extensions: [".ova"],
  // POSIX's and GNU's.
  marks: [
    { hostOffset: 257, bytes: "ustar\0" },
    { hostOffset: 257, bytes: "ustar " },
  ],
  guestAt: "nowhere",
  isArchive: true,
  load: reader,
  open: async (files) => (await reader()).openOva(files),
};
