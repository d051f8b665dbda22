/** What every sparse extent that is made has in common: what it can't hold, its header, and its own name. */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import { whyNoPlainName } from "../../../bytes/plain-name.ts";
import type { Words } from "../../../bytes/sentence.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { Draft } from "../../../image/target.ts";
import type { TargetOptionValues } from "../../../image/target-options.ts";
import { judgeUnkept } from "../../../image/unkept.ts";
import {
  headerSector,
  LINE_ENDS,
  SPARSE_MARK,
  SparseFlag,
  SparseHeaderFields,
  type SparseHeaderValues,
  sectorAt,
} from "./fields.ts";

/** Sectors have 32 bits: of the file as of the disk, which VMware lets be no larger, and which its file has to hold whole one day. */
export const MAX_SPARSE_SIZE = 2 ** 32 * SECTOR_SIZE;

/** Of the descriptor: room for what others add to it, VirtualBox its own lines. QEMU reads so much of it, wherever it lies. */
export const DESCRIPTOR_SECTORS = 20;
/** Of one grain table. */
export const ENTRY_COUNT = 512;

/** Offsets and sizes in bytes, of the image; `directory` undefined where the footer says it. */
export interface HeaderFacts extends Pick<SparseHeaderValues, "version" | "flags" | "compression"> {
  readonly virtualSize: number;
  readonly grainSize: number;
  readonly redundantDirectory: number;
  readonly directory: number | undefined;
  readonly overHead: number;
}

export function freshHeader(facts: HeaderFacts): Uint8Array {
  const { version, flags, compression, virtualSize, grainSize, redundantDirectory, directory, overHead } = facts;
  return headerSector({
    magic: Buffer.from(SPARSE_MARK),
    version,
    flags: flags | SparseFlag.lineEnds,
    capacity: virtualSize / SECTOR_SIZE,
    grainSize: grainSize / SECTOR_SIZE,
    descriptorOffset: 1,
    descriptorSize: DESCRIPTOR_SECTORS,
    entryCount: ENTRY_COUNT,
    redundantOffset: sectorAt(redundantDirectory),
    directoryOffset: sectorAt(directory),
    overHead: overHead / SECTOR_SIZE,
    uncleanShutdown: 0,
    lineEnds: LINE_ENDS,
    compression,
    padding: new Uint8Array(SparseHeaderFields.fields.padding.size),
  });
}

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
