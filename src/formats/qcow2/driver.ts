/** qcow2, versions 2 and 3, as source and target (docs/interop/qcow2.txt). */

import type { FormatDriver } from "../../image/driver.ts";
import { Qcow2Image } from "./image.ts";
import { qcow2Target } from "./target/target.ts";

export const qcow2Driver: FormatDriver = {
  name: "qcow2",
  aliases: [],
  extensions: [".qcow2"],
  // Version 1 bears it too, and is another format in all else: its own mark is longer.
  marks: [{ hostOffset: 0, bytes: "QFI\xfb" }],
  guestAt: "nowhere",
  open: ({ main }) => Qcow2Image.open(main),
  target: qcow2Target,
  canRearrange: true,
  isCarrier: true,
};
