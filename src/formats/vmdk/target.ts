/** The VMDK target: which kind of it is asked for, flat, sparse, or a stream. */

import { UsageError } from "../../bytes/image-error.ts";
import type { TargetDriver } from "../../image/target.ts";
import type { TargetOption, TargetOptionValues } from "../../image/target-options.ts";
import { FLAT, SPLIT_FLAT, SPLIT_SPARSE } from "./extents.ts";
import { flatTarget } from "./flat-target.ts";
import { ADAPTER_OPTION, SPARSE_KIND, STREAM_KIND } from "./fresh-descriptor.ts";
import { streamTarget } from "./sparse/stream-target.ts";
import { sparseTarget } from "./sparse/target.ts";

export { streamMaker } from "./sparse/stream-target.ts";

const SPARSE = SPARSE_KIND.createType;
const STREAM = STREAM_KIND.createType;
/** By `subformat`. */
const KINDS = new Map<unknown, Pick<TargetDriver, "openConversionTarget" | "map" | "copyHeader">>([
  [FLAT, flatTarget],
  [SPARSE, sparseTarget],
  [STREAM, streamTarget],
]);

const NAMED =
  "Cannot make another VMDK of a file that a descriptor beside it names: convert it to qcow2 first, and that then";

const VMDK_TARGET_OPTIONS: readonly TargetOption[] = [
  {
    name: "subformat",
    kind: "choice",
    choices: [FLAT, SPARSE, SPLIT_SPARSE, SPLIT_FLAT, STREAM],
    help: `Type of VMDK: ${SPARSE}, the default, ${STREAM} or ${FLAT}`,
  },
  ADAPTER_OPTION,
  { name: "descriptor", kind: "bytes", isInternal: true, help: "The descriptor as it was, so that it comes back" },
  { name: "descriptor_name", kind: "bytes", isInternal: true, help: "The name that it had" },
];

export const vmdkTarget: TargetDriver = {
  options: VMDK_TARGET_OPTIONS,
  countsReferences: true,
  onlyReads: (options) => kindOf(options) === undefined,
  sidecarName: (fileName, options) =>
    options.subformat === FLAT ? flatTarget.sidecarName(fileName, options) : undefined,
  front: (_virtualSize, options) => (kindOf(options) === sparseTarget ? sparseTarget.front : 0),
  packForm: ({ subformat }) => (subformat === STREAM ? streamTarget.form() : undefined),

  openConversionTarget(source, options, drop) {
    const kind = kindOf(options);
    if (kind === undefined)
      throw new UsageError(
        `Cannot write a VMDK with subformat=${options.subformat}: use ${[...KINDS.keys()].join(", ")}`,
      );
    const draft = kind.openConversionTarget(source, options, drop);
    // The text that says what the file is would go on to say it.
    const isNamed = source.format === draft.format && source.creationOptions.subformat === SPLIT_SPARSE;
    return isNamed ? { ...draft, refusals: [...draft.refusals, NAMED] } : draft;
  },

  map: (draft, extents, space) => madeKind(draft).map(draft, extents, space),

  copyHeader: (draft, ...found) => madeKind(draft).copyHeader(draft, ...found),

  /** A stream's grains are compressed whether it is said or not. */
  encodingRefusals: ({ options }) =>
    options.subformat === STREAM ? [] : [`A VMDK stores its grains compressed with subformat=${STREAM} alone`],
};

function kindOf({ subformat = SPARSE }: TargetOptionValues) {
  return KINDS.get(subformat);
}

function madeKind({ options }: { readonly options: TargetOptionValues }) {
  const kind = kindOf(options);
  if (kind === undefined) throw new TypeError(`no VMDK is made with subformat=${options.subformat}`);
  return kind;
}
