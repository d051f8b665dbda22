/** The QED driver: source and target of conversions (QED specification, docs/interop/qed_spec of QEMU). */

import type { FormatDriver } from "../../image/driver.ts";
import { isQed } from "./header/header.ts";
import { openQed } from "./image.ts";
import { qedTarget } from "./target/target.ts";

export const qedDriver: FormatDriver = {
  name: "qed",
  probe: isQed,
  open: openQed,
  target: qedTarget,
};
