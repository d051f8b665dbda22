/**
 * The VHD target, and of fixed ones (dynamic/target.ts has the others) the last three of the letter's five verbs.
 *
 *   | the guest's bytes, each where it is | zeros up to a whole MiB | footer |
 *                                                                  ^ the commit: one sector, past the old end
 *
 * Nothing is written before it: the file grows. The disk never gets shorter, and it is not rounded to a geometry, by which
 * Azure would refuse it.
 */

import { isAligned, SECTOR_SIZE } from "../../bytes/align.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import type { RangeSet } from "../../bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, eachExtent } from "../../image/extent.ts";
import { LINEAR_PLACEMENT } from "../../image/in-one-piece.ts";
import type { ConversionOptions } from "../../image/source.ts";
import type { Commit, Draft, FileSpace, GuestMaterial, MappedDraft, TargetDriver } from "../../image/target.ts";
import type { TargetOptionValues } from "../../image/target-options.ts";
import { commitDynamic, dataStartOf, mapDynamic, openDynamicTarget } from "./dynamic/target.ts";
import { FOOTER_SIZE } from "./footer.ts";
import { freshFooter } from "./fresh-footer.ts";
import { chooseVpc, grownSize, isFixed, judgeSource, keepsFooter, VPC_TARGET_OPTIONS } from "./rules.ts";

interface VpcDraft extends Draft {
  /** The footer of before, where it speaks of this disk. */
  readonly keptFooter: Uint8Array | undefined;
}

export const vpcTarget: TargetDriver = {
  options: VPC_TARGET_OPTIONS,
  grownSize: (virtualSize, options) => (isFixed(options) ? grownSize(virtualSize, chooseVpc(options)) : virtualSize),
  front: (virtualSize, options) => (isFixed(options) ? 0 : dataStartOf(virtualSize, options)),
  // What a fixed VHD holds is all in use.
  countsReferences: true,
  openConversionTarget,
  map,
  copyHeader,
};

function openConversionTarget(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
): VpcDraft {
  if (!isFixed(options)) return { ...openDynamicTarget(source, options, drop), keptFooter: undefined };
  const choice = chooseVpc(options);
  const keeps = keepsFooter(source.virtualSize, choice);
  const virtualSize = grownSize(source.virtualSize, choice);
  return {
    format: "vpc",
    virtualSize,
    clusterSize: SECTOR_SIZE,
    placement: LINEAR_PLACEMENT,
    options: { subformat: "fixed", align: choice.align },
    ...judgeSource(source, virtualSize, drop),
    keptFooter: keeps ? choice.footer : undefined,
  };
}

function map(draft: Draft, extents: ExtentTable, space: FileSpace): MappedDraft {
  if (draft.placement.linearBase === undefined) return mapDynamic(draft, extents, space);
  const { virtualSize } = draft;
  const { oldFileSize } = space;
  if (oldFileSize > virtualSize) {
    throw refusal(
      `Cannot put the footer at ${hex(virtualSize)}: the file is longer, ${oldFileSize} bytes`,
      virtualSize,
    );
  }
  return {
    ...draft,
    extents: grownTo(virtualSize, extents),
    fileSize: virtualSize,
    metadataBytes: 0,
    settling: { bytesMoved: 0, bytesWritten: 0, fileSize: virtualSize + FOOTER_SIZE },
    additiveWrites: () => [],
  };
}

/** Proves that each byte is where it has to be; what the disk gains reads as zeros. */
function grownTo(virtualSize: number, extents: ExtentTable): ExtentTable {
  const grown = new ExtentTableBuilder();
  let end = 0;
  for (const { guestOffset, hostOffset, length, state } of eachExtent(extents)) {
    const refuse = (why: string) =>
      refusal(`Cannot map guest offset ${hex(guestOffset)}${why}`, hostOffset, guestOffset);
    if (guestOffset !== end) throw refuse(`: the extent before it ends at ${hex(end)}`);
    end += length;
    if (state === ExtentState.compressed) throw refuse(": a fixed VHD holds no compressed data");
    if (hostOffset >= 0 && hostOffset !== guestOffset)
      throw refuse(` to host offset ${hex(hostOffset)}: it is another one`);
    grown.append(length, state, hostOffset);
  }
  if (end > virtualSize || !isAligned(virtualSize, SECTOR_SIZE)) {
    throw refusal(`Cannot map the disk: the extents end at ${hex(end)}, past ${hex(virtualSize)}`);
  }
  if (end < virtualSize) grown.append(virtualSize - end, ExtentState.unallocated);
  return grown.finish(virtualSize);
}

function copyHeader(
  draft: MappedDraft,
  _source: ConversionOptions,
  oldHeader: Uint8Array,
  _usedHeader: RangeSet,
  guest?: GuestMaterial,
): Commit {
  if (draft.placement.linearBase === undefined) return commitDynamic(draft, oldHeader);
  const { virtualSize, keptFooter } = draft as MappedDraft & VpcDraft;
  const sector = keptFooter ?? freshFooter(virtualSize, guest?.identity);
  return { kind: "sector", hostOffset: virtualSize, sector, extras: [] };
}

function refusal(message: string, hostOffset?: number, guestOffset?: number): ImageError {
  return new ImageError("out-of-bounds", message, { format: "vpc", structure: "mapping", hostOffset, guestOffset });
}
