/** The QEMU that tests and scripts ask: the one in the folder `INPLACE_QEMU_BIN`, else the one on PATH. */

import { accessSync, constants } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const PROGRAMS = ["qemu-img", "qemu-io", "qemu-nbd"] as const;

/**
 * PATH with the chosen QEMU first, so that whatever is started, our own built command too, finds that one.
 *
 * @throws Error where the folder lacks one of them: the system's would be asked unseen
 */
export function pathWithChosenQemu(path = process.env.PATH ?? "", chosen = process.env.INPLACE_QEMU_BIN): string {
  if (chosen === undefined || chosen === "") return path;
  const folder = resolve(chosen);
  for (const program of PROGRAMS) {
    try {
      accessSync(join(folder, program), constants.X_OK);
    } catch {
      throw new Error(`Cannot ask the QEMU in ${folder}, which INPLACE_QEMU_BIN names: it has no ${program}`);
    }
  }
  const others = path.split(delimiter).filter((each) => each !== folder);
  return [folder, ...others].join(delimiter);
}
