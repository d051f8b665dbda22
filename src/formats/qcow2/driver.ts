/** qcow2, versions 2 and 3, as source and target (docs/interop/qcow2.txt). */

import type { FormatDriver } from "../../image/driver.ts";
import { isQcow2 } from "./header/header.ts";
import { Qcow2Image } from "./image.ts";
import { qcow2Target } from "./target/target.ts";

export const qcow2Driver: FormatDriver = {
  name: "qcow2",
  // Version 1 bears the same magic, and is another format in all else.
  probe: (head) => isQcow2(head) && head[7] !== 1,
  open: (storage) => Qcow2Image.open(storage),
  target: qcow2Target,
};
