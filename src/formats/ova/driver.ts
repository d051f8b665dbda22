/** The OVA driver, a name that qemu-img lacks: a tar archive of an OVF descriptor and one disk, read where it stands. */

import type { FormatDriver } from "../../image/driver.ts";
import type { StreamMaker } from "../../image/stream-maker.ts";
import { openOva } from "./image.ts";
import { ovaTarget } from "./target.ts";

/** `stream` makes the disk inside. */
export const ovaDriver = (stream: StreamMaker): FormatDriver => ({
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
  open: openOva,
  target: ovaTarget(stream),
});
