/**
 * The flat VMDK target: the last three of the letter's five verbs.
 *
 *   disk.raw    | the guest's bytes, each where it is | zeros up to a whole sector |
 *   disk.vmdk   | the descriptor |
 *                ^ the commit: its name appears
 */

import { isAligned, SECTOR_SIZE } from "../../bytes/align.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { whyNoPlainName } from "../../bytes/plain-name.ts";
import { imageNamed, say, type Words } from "../../bytes/sentence.ts";
import { eachExtent } from "../../image/extent.ts";
import { LINEAR_PLACEMENT } from "../../image/in-one-piece.ts";
import type { Draft, MappedDraft, TargetDriver } from "../../image/target.ts";
import type { TargetOptionValues } from "../../image/target-options.ts";
import { judgeUnkept } from "../../image/unkept.ts";
import { MAX_DESCRIPTOR_LENGTH } from "./descriptor.ts";
import { FLAT, readSingleDisk } from "./extents.ts";
import { type Adapter, FLAT_KIND, freshDescriptor } from "./fresh-descriptor.ts";

interface VmdkDraft extends Draft {
  /** The internal options: the descriptor and the name of before. */
  readonly before: TargetOptionValues;
}

export const flatTarget = {
  sidecarName,

  openConversionTarget(source, options, drop): VmdkDraft {
    const { subformat = FLAT, adapter_type: adapter = "ide", ...before } = options;
    const unkept = judgeUnkept(source, { hasNone: "a flat VMDK has none", name: "a flat VMDK" }, drop);
    const refusals: Words[] = [...unkept.refusals];
    if (source.backing !== undefined)
      refusals.push(
        "Cannot keep the backing file: a flat VMDK has none; commit or rebase the image with qemu-img first",
      );
    if (source.virtualSize === 0)
      refusals.push("Cannot make a VMDK of a disk of 0 bytes: an extent has a sector or more");
    return {
      format: "vmdk",
      virtualSize: source.virtualSize,
      clusterSize: SECTOR_SIZE,
      placement: LINEAR_PLACEMENT,
      options: { subformat, adapter_type: adapter },
      before,
      refusals,
      dropped: unkept.dropped,
    };
  },

  map(draft, extents, { oldFileSize }) {
    const { virtualSize } = draft;
    for (const { guestOffset, hostOffset } of eachExtent(extents)) {
      if (hostOffset < 0 || hostOffset === guestOffset) continue;
      throw refusal(`Cannot map guest offset ${hex(guestOffset)} to host offset ${hex(hostOffset)}: it is another one`);
    }
    if (oldFileSize > virtualSize || !isAligned(virtualSize, SECTOR_SIZE)) {
      throw refusal(`Cannot map the disk: its file has ${oldFileSize} bytes, the disk ${virtualSize}`);
    }
    return {
      ...draft,
      extents,
      fileSize: virtualSize,
      metadataBytes: 0,
      settling: { bytesMoved: 0, bytesWritten: 0, fileSize: virtualSize },
      additiveWrites: () => [],
    };
  },

  copyHeader(draft, _source, _oldHeader, _usedHeader, guest) {
    const { virtualSize, options, before } = draft as MappedDraft & VmdkDraft;
    const fileName = guest?.fileName;
    if (fileName === undefined) throw refusal("Cannot write a descriptor: the disk's file has no name");
    const name = sidecarName(fileName, before);
    const sector =
      keptDescriptor(fileName, name, virtualSize, before) ??
      freshDescriptor(fileName, virtualSize, options.adapter_type as Adapter, FLAT_KIND, guest?.identity);
    return { kind: "name", named: { name, comes: true }, hostOffset: 0, sector, extras: [] };
  },
} satisfies Partial<TargetDriver>;

/** The descriptor of before, where it speaks of this very file and disk; else there is a fresh one. */
function keptDescriptor(
  fileName: string,
  name: string,
  virtualSize: number,
  { descriptor }: TargetOptionValues,
): Uint8Array | undefined {
  if (typeof descriptor !== "string" || descriptor.length > 2 * MAX_DESCRIPTOR_LENGTH) return undefined;
  const bytes = new Uint8Array(Buffer.from(descriptor, "hex"));
  try {
    const kept = readSingleDisk(bytes, name);
    if (kept.type !== "FLAT") return undefined;
    return kept.fileName === fileName && kept.virtualSize === virtualSize ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/**
 * `disk.raw` has its descriptor in `disk.vmdk`, and so has `disk-flat.vmdk`, as other programs call an extent. The name
 * of before, where there was one.
 */
function sidecarName(fileName: string, { descriptor_name: before }: TargetOptionValues): string {
  const refuse = (because: Words, remedy: Words) =>
    new ImageError("unsupported", say`Cannot write a descriptor for ${imageNamed(fileName)}`, { because, remedy });
  const why = whyNoPlainName(fileName);
  if (why !== undefined) throw refuse(`its name ${why}, and a descriptor could not name it`, "rename it first");
  const old = typeof before === "string" ? Buffer.from(before, "hex").toString("utf8") : undefined;
  if (old !== undefined && whyNoPlainName(old) === undefined && old !== fileName) return old;
  const name = `${fileName.replace(/(?:-flat)?\.[^.]{1,8}$/, "") || fileName}.vmdk`;
  if (name.toLowerCase() !== fileName.toLowerCase()) return name;
  throw refuse(
    "the disk has that name itself",
    `rename it first, as to ${fileName.slice(0, -".vmdk".length)}-flat.vmdk`,
  );
}

function refusal(message: string): ImageError {
  return new ImageError("out-of-bounds", message, { format: "vmdk", structure: "mapping" });
}
