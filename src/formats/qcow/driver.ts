/** qcow, version 1 of what became qcow2. */

import type { FormatDriver } from "../../image/driver.ts";
import { QCOW_MARK } from "./header.ts";

const reader = () => import("./image.ts");

export const qcowDriver: FormatDriver = {
  name: "qcow",
  aliases: [],
  extensions: [".qcow"],
  marks: [{ hostOffset: 0, bytes: QCOW_MARK }],
  guestAt: "nowhere",
  load: reader,
  open: async ({ main }) => (await reader()).openQcow(main),
  canRearrange: true,
  isHub: true,
};
