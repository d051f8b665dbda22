/** A plan over files of this runner: the matrix's jobs run on others, which lack them. */

import { warning } from "@actions/core";
import { counted } from "../results/findings.ts";
import { safeLine, shortened } from "./safe-text.ts";

/** The names have so much room in it. */
const MAX_NAMES = 400;

/** @param paths of the matrix's images that lie here */
export function warnOfLocalImages(paths: readonly string[]): void {
  if (paths.length === 0) return;
  const names = shortened(safeLine(paths.join(", ")), MAX_NAMES, " …");
  const [are, them] = paths.length === 1 ? ["is a file", "it"] : ["are files", "them"];
  warning(
    `${counted(paths.length, "image")} of the matrix ${are} of this runner (${names}), and a job of the matrix ` +
      `that runs elsewhere lacks ${them}: name URLs, or upload the files as an artifact that each job downloads`,
    { title: "Images of this runner" },
  );
}
