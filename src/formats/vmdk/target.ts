/** The VMDK target: which kind of it is asked for, flat or sparse. */

import { UsageError } from "../../bytes/image-error.ts";
import type { TargetDriver } from "../../image/target.ts";
import type { TargetOption, TargetOptionValues } from "../../image/target-options.ts";
import { FLAT, SPLIT_FLAT, SPLIT_SPARSE } from "./extents.ts";
import { flatTarget } from "./flat-target.ts";
import { ADAPTERS, SPARSE_KIND } from "./fresh-descriptor.ts";
import { sparseTarget } from "./sparse/target.ts";

const SPARSE = SPARSE_KIND.createType;

const NAMED =
  "Cannot make another VMDK of a file that a descriptor beside it names: convert it to qcow2 first, and that then";

const VMDK_TARGET_OPTIONS: readonly TargetOption[] = [
  {
    name: "subformat",
    kind: "choice",
    choices: [FLAT, SPARSE, SPLIT_SPARSE, SPLIT_FLAT, "streamOptimized"],
    help: `Type of VMDK: ${SPARSE}, the default, or ${FLAT}`,
  },
  { name: "adapter_type", kind: "choice", choices: ADAPTERS, help: "Controller of the disk; by default ide" },
  { name: "descriptor", kind: "bytes", isInternal: true, help: "The descriptor as it was, so that it comes back" },
  { name: "descriptor_name", kind: "bytes", isInternal: true, help: "The name that it had" },
];

export const vmdkTarget: TargetDriver = {
  options: VMDK_TARGET_OPTIONS,
  countsReferences: true,
  onlyReads: ({ subformat = SPARSE }) => subformat !== FLAT && subformat !== SPARSE,
  sidecarName: (fileName, options) => (isFlat(options) ? flatTarget.sidecarName(fileName, options) : undefined),
  front: (_virtualSize, options) => (isFlat(options) ? 0 : sparseTarget.front),

  openConversionTarget(source, options, drop) {
    const { subformat = SPARSE } = options;
    if (vmdkTarget.onlyReads?.(options))
      throw new UsageError(`Cannot write a VMDK with subformat=${subformat}: use ${SPARSE} or ${FLAT}`);
    const draft = (isFlat(options) ? flatTarget : sparseTarget).openConversionTarget(source, options, drop);
    // The text that says what the file is would go on to say it.
    const isNamed = source.format === draft.format && source.creationOptions.subformat === SPLIT_SPARSE;
    return isNamed ? { ...draft, refusals: [...draft.refusals, NAMED] } : draft;
  },

  map: (draft, extents, space) => (isFlat(draft.options) ? flatTarget : sparseTarget).map(draft, extents, space),

  copyHeader: (draft, source, oldHeader, usedHeader, guest) =>
    isFlat(draft.options)
      ? flatTarget.copyHeader(draft, source, oldHeader, usedHeader, guest)
      : sparseTarget.copyHeader(draft, guest),
};

function isFlat({ subformat }: TargetOptionValues): boolean {
  return subformat === FLAT;
}
