/** qcow, version 1 of what became qcow2. */

import type { FormatDriver } from "../../image/driver.ts";
import { QCOW_MARK } from "./header.ts";
import { openQcow } from "./image.ts";
import { qcowTarget } from "./target.ts";

export const qcowDriver: FormatDriver = {
  name: "qcow",
  aliases: [],
  extensions: [".qcow"],
  marks: [{ hostOffset: 0, bytes: QCOW_MARK }],
  guestAt: "nowhere",
  open: ({ main }) => openQcow(main),
  target: qcowTarget,
  canRearrange: true,
  isHub: true,
};
