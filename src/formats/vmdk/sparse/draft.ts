/** What every sparse extent that is made has in common: what it can't hold, and its own name. */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import { whyNoPlainName } from "../../../bytes/plain-name.ts";
import type { Words } from "../../../bytes/sentence.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { Draft } from "../../../image/target.ts";
import type { TargetOptionValues } from "../../../image/target-options.ts";
import { judgeUnkept } from "../../../image/unkept.ts";

/** Sectors have 32 bits: of the file as of the disk, which VMware lets be no larger, and which its file has to hold whole one day. */
export const MAX_SPARSE_SIZE = 2 ** 32 * SECTOR_SIZE;

/** `options` with the subformat. */
export function sparseDraft(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
): Omit<Draft, "clusterSize" | "placement"> {
  const unkept = judgeUnkept(source, { hasNone: "a sparse VMDK has none", name: "a sparse VMDK" }, drop);
  const refusals: Words[] = [...unkept.refusals];
  if (source.backing !== undefined)
    refusals.push(
      "Cannot keep the backing file: a VMDK names its parent by a content id; commit or rebase the image first",
    );
  if (source.virtualSize === 0)
    refusals.push("Cannot make a VMDK of a disk of 0 bytes: an extent has a sector or more");
  if (source.virtualSize > MAX_SPARSE_SIZE)
    refusals.push(`A disk of ${source.virtualSize} bytes is larger than a sparse VMDK's, which has 2 TiB at most`);
  return {
    format: "vmdk",
    virtualSize: source.virtualSize,
    options: { ...options, adapter_type: options.adapter_type ?? "ide" },
    refusals,
    dropped: unkept.dropped,
  };
}

/** A name that a descriptor can't hold is left out: nobody finds a sparse extent by the name in itself. */
export function ownName(fileName: string | undefined): string {
  return fileName !== undefined && whyNoPlainName(fileName) === undefined ? fileName : "disk.vmdk";
}
