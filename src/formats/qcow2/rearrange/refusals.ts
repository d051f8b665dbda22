/** Images in which nothing may be moved, each with the reason and what to do. */

import { counted } from "../../../bytes/count-text.ts";
import { command, say } from "../../../bytes/sentence.ts";
import { hasFlag } from "../../../bytes/struct.ts";
import type { CheckResult } from "../../../image/finding.ts";
import { IncompatibleBit, type Qcow2Header } from "../header/header.ts";
import { cannotRearrange } from "./rearrange-error.ts";

/** @throws ImageError `unsupported` for what no move could keep, `corrupt` where tables or counts can't be trusted. */
export function refuseRearranging(path: string, header: Qcow2Header, check: CheckResult): void {
  if (header.hasDataFile) {
    throw cannotRearrange("unsupported", path, "its guest data lies in another file", {
      remedy: "make a copy that holds it with qemu-img convert",
    });
  }
  if (header.encryption === "luks") {
    throw cannotRearrange("unsupported", path, "its clusters are encrypted by where they lie in the file (LUKS)", {
      remedy: "make a copy with qemu-img convert",
    });
  }
  const remedy = say`repair it first: ${command("check", path, "-r", "all")}`;
  for (const [bit, because] of [
    [IncompatibleBit.dirty, "its refcounts may be stale (dirty bit)"],
    [IncompatibleBit.corrupt, "it is marked corrupt (corrupt bit)"],
  ] as const) {
    if (hasFlag(header.incompatible, bit)) throw cannotRearrange("corrupt", path, because, { remedy });
  }
  const { corruptions, checkErrors, warnings, findings } = check;
  if (corruptions + checkErrors + warnings === 0) return;
  const first = findings.find(({ severity }) => severity !== "leak");
  const because = first?.message ?? `its check finds ${counted(corruptions + checkErrors + warnings, "error")}`;
  throw cannotRearrange("corrupt", path, because, {
    structure: first?.structure,
    hostOffset: first?.hostOffset,
    // What no repair touches, only a newer version allows.
    remedy: first?.kind === "zero-flag-in-version-2" ? "raise its version first: qemu-img amend -o compat=1.1" : remedy,
  });
}
