/** qcow2, versions 2 and 3, as source and target (docs/interop/qcow2.txt). */

import type { FormatDriver } from "../../image/driver.ts";

const reader = () => import("./image.ts");

export const qcow2Driver: FormatDriver = {
  name: "qcow2",
  aliases: [],
  extensions: [".qcow2"],
  // Version 1 bears it too, and is another format in all else: its own mark is longer.
  marks: [{ hostOffset: 0, bytes: "QFI\xfb" }],
  guestAt: "nowhere",
  load: async () => (await reader()).changes(),
  open: async ({ main }) => (await reader()).Qcow2Image.open(main),
  canRearrange: true,
  isCarrier: true,
};
