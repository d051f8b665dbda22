/** The list of kits; a format takes part in the generic suites by standing here. Of several of one name the first is what is made without options. */

import type { FormatKit } from "./kit.ts";
import { ovaKit } from "./ova/kit.ts";
import { parallelsKit } from "./parallels/kit.ts";
import { qcowKit } from "./qcow/kit.ts";
import { qcow2Kit } from "./qcow2/kit.ts";
import { qedKit } from "./qed/kit.ts";
import { rawKit } from "./raw/kit.ts";
import { vdiKit } from "./vdi/kit.ts";
import { vhdxKit } from "./vhdx/kit.ts";
import { vmdkKit } from "./vmdk/kit.ts";
import { sparseVmdkKit } from "./vmdk/sparse/kit.ts";
import { dynamicVpcKit } from "./vpc/dynamic/kit.ts";
import { vpcKit } from "./vpc/kit.ts";

export const kits: readonly FormatKit[] = [
  qedKit,
  qcow2Kit,
  qcowKit,
  vdiKit,
  parallelsKit,
  vhdxKit,
  vpcKit,
  dynamicVpcKit,
  sparseVmdkKit,
  vmdkKit,
  ovaKit,
  rawKit,
];
