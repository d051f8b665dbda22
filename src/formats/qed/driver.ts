/** The QED driver: source and target of conversions (QED specification, docs/interop/qed_spec of QEMU). */

import type { FormatDriver } from "../../image/driver.ts";

const reader = () => import("./image.ts");

export const qedDriver: FormatDriver = {
  name: "qed",
  aliases: [],
  extensions: [".qed"],
  marks: [{ hostOffset: 0, bytes: "QED\0" }],
  guestAt: "nowhere",
  load: reader,
  open: async ({ main }) => (await reader()).openQed(main),
  canRearrange: true,
};
