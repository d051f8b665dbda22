/** Valid VHDX images of every shape that a check has to know. */

import type { CheckSample } from "../kit.ts";
import { VHDX_SAMPLES } from "./any-image.ts";
import { buildVhdx } from "./builder.ts";

export async function vhdxCheckSamples(): Promise<readonly CheckSample[]> {
  return Object.entries(VHDX_SAMPLES).map(([name, description]) => ({
    name: name.replaceAll(" ", "-"),
    bytes: buildVhdx(description).bytes,
    openWords: ["-f", "vhdx", "IMAGE"],
  }));
}
