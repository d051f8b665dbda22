/** The QED driver: source and target of conversions (QED specification, docs/interop/qed_spec of QEMU). */

import type { FormatDriver } from "../../image/driver.ts";
import { openQed } from "./image.ts";
import { qedTarget } from "./target/target.ts";

export const qedDriver: FormatDriver = {
  name: "qed",
  aliases: [],
  extensions: [".qed"],
  marks: [{ hostOffset: 0, bytes: "QED\0" }],
  guestAt: "nowhere",
  open: ({ main }) => openQed(main),
  target: qedTarget,
  canRearrange: true,
};
