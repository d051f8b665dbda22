/**
 * The formats that images can be made into, each a line here beside its line in `drivers.ts`. Apart from that, since
 * whoever only reads loads none of it.
 */

import type { TargetDriver } from "../image/target.ts";
import { ovaTarget } from "./ova/target.ts";
import { parallelsTarget } from "./parallels/target.ts";
import { qcowTarget } from "./qcow/target.ts";
import { qcow2Target } from "./qcow2/target/target.ts";
import { qedTarget } from "./qed/target/target.ts";
import { rawTarget } from "./raw/target.ts";
import { vdiTarget } from "./vdi/target.ts";
import { vhdxTarget } from "./vhdx/target/target.ts";
import { streamMaker, vmdkTarget } from "./vmdk/target.ts";
import { vpcTarget } from "./vpc/target.ts";

/** By the driver's name. */
export const formatTargets: Readonly<Record<string, TargetDriver>> = {
  qcow2: qcow2Target,
  qed: qedTarget,
  qcow: qcowTarget,
  vpc: vpcTarget,
  vmdk: vmdkTarget,
  vdi: vdiTarget,
  parallels: parallelsTarget,
  vhdx: vhdxTarget,
  ova: ovaTarget(streamMaker),
  raw: rawTarget,
};
