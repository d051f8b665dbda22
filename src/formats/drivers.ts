/** The formats that we know: a new one is a folder, and its line here. Reading one is loaded when an image of it is opened. */

import type { FormatDriver } from "../image/driver.ts";
import { ovaDriver } from "./ova/driver.ts";
import { parallelsDriver } from "./parallels/driver.ts";
import { qcowDriver } from "./qcow/driver.ts";
import { qcow2Driver } from "./qcow2/driver.ts";
import { qedDriver } from "./qed/driver.ts";
import { rawDriver } from "./raw/driver.ts";
import { vdiDriver } from "./vdi/driver.ts";
import { vhdxDriver } from "./vhdx/driver.ts";
import { vmdkDriver } from "./vmdk/driver.ts";
import { vpcDriver } from "./vpc/driver.ts";

/** In the order of messages; raw, which has no mark, is last. */
export const formatDrivers: readonly FormatDriver[] = [
  qcow2Driver,
  qedDriver,
  qcowDriver,
  vpcDriver,
  vmdkDriver,
  vdiDriver,
  parallelsDriver,
  vhdxDriver,
  ovaDriver,
  rawDriver,
];
