/** A virtual machine without an operating system: QEMU's, whose processor is emulated, started with one disk that it boots from. */

import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { EXIT_PORT } from "./boot-sector.ts";

/** Of a start that takes a second; a busy machine takes longer. */
const PATIENCE = 60_000;

export const MACHINE = "qemu-system-x86_64";

export interface Booted {
  /** What the disk's code printed, without the line's end. */
  readonly said: string;
  /** QEMU's; undefined where it had to be killed. */
  readonly exitCode: number | undefined;
  /** QEMU's own words. */
  readonly complaint: string;
}

/** Of an image that stays as it is: what the guest writes is thrown away. What it prints lies beside it. */
export function boot(path: string, format: string): Promise<Booted> {
  // Not a pipe: QEMU loses characters that a full one does not take at once.
  const printed = `${path}.serial`;
  const words = [
    ...["-machine", "pc,accel=tcg", "-m", "16", "-nodefaults", "-no-user-config", "-display", "none"],
    ...["-serial", `file:${printed}`, "-no-reboot", "-boot", "order=c,reboot-timeout=0"],
    ...["-device", `isa-debug-exit,iobase=${EXIT_PORT},iosize=1`],
    // A comma in a name is written twice.
    ...["-snapshot", "-drive", `file=${path.replaceAll(",", ",,")},format=${format},if=ide,index=0,media=disk`],
  ];
  return new Promise((resolve) => {
    const options = { encoding: "latin1", timeout: PATIENCE, killSignal: "SIGKILL" } as const;
    const child = execFile(MACHINE, words, options, (error, _, complaint) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
      const said = existsSync(printed) ? readFileSync(printed, "latin1").trimEnd() : "";
      resolve({ said, exitCode, complaint: complaint.trim() });
    });
    child.stdin?.end();
  });
}
