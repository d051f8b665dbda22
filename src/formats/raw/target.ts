/**
 * raw as a target: the disk in one piece, host = guest. Nothing is moved by a switch to it (a rearrangement before has
 * brought each unit to its place), but the guest's first bytes, which come over the old header.
 *
 *   source  |header|  guest data, each unit at its place, zeros between  |  tables, the guest's first cluster  |
 *   raw     |guest |  the same                                           |  cut off after the commit
 */

import { alignUp, SECTOR_SIZE } from "../../bytes/align.ts";
import type { Words } from "../../bytes/sentence.ts";
import { alignOption, chosenAlign, GPT_OPTION } from "../../image/disk-options.ts";
import { LINEAR_PLACEMENT } from "../../image/in-one-piece.ts";
import type { ConversionOptions } from "../../image/source.ts";
import type { TargetDriver } from "../../image/target.ts";
import type { TargetOptionValues } from "../../image/target-options.ts";
import { judgeUnkept } from "../../image/unkept.ts";

const WORDS = { hasNone: "raw has none", name: "a raw disk" };

export const rawTarget: TargetDriver = {
  options: [
    alignOption("by default it stays as long as it is"),
    GPT_OPTION,
    { name: "size", kind: "number", help: "Length of the file, inside the disk's last sector", isInternal: true },
  ],
  countsReferences: true,
  grownSize,

  openConversionTarget(source, options, drop) {
    const unkept = judgeUnkept(source, WORDS, drop);
    // Refuses what no disk can grow to; it does so in a step of its own, once it lies in one piece.
    grownSize(source.virtualSize, options);
    return {
      format: "raw",
      virtualSize: source.virtualSize,
      clusterSize: SECTOR_SIZE,
      placement: LINEAR_PLACEMENT,
      options,
      refusals: [...unkept.refusals, ...backingRefusals(source)],
      dropped: unkept.dropped,
    };
  },

  map(draft, extents, { oldFileSize }) {
    const { virtualSize, options } = draft;
    const isOdd = typeof options.size === "number" && alignUp(options.size, SECTOR_SIZE) === virtualSize;
    const cutTo = isOdd ? Number(options.size) : virtualSize;
    return {
      ...draft,
      extents,
      fileSize: Math.max(oldFileSize, virtualSize),
      ...(cutTo !== oldFileSize && { cutTo }),
      metadataBytes: 0,
      settling: { bytesMoved: 0, bytesWritten: 0, fileSize: cutTo },
      additiveWrites: () => [],
    };
  },

  /** What the header area holds behind its first sector comes beforehand, where the source uses none of it. */
  copyHeader({ virtualSize, fileSize }, source, _oldHeader, _usedHeader, guest) {
    if (source.linearBase !== undefined && guest?.sidecar !== undefined) {
      const { name, bytes } = guest.sidecar;
      return { kind: "name", named: { name, comes: false }, hostOffset: 0, sector: bytes, extras: [] };
    }
    if (source.linearBase !== undefined && guest?.lastSector !== undefined) {
      // All lies where it has to: what makes it another format is the footer, which goes.
      return { kind: "length", hostOffset: fileSize - SECTOR_SIZE, sector: guest.lastSector, extras: [] };
    }
    const front = (guest?.front ?? new Uint8Array(0)).subarray(0, virtualSize);
    const sector = new Uint8Array(SECTOR_SIZE);
    sector.set(front.subarray(0, SECTOR_SIZE));
    const rest = front.subarray(SECTOR_SIZE);
    const extras = rest.length === 0 ? [] : [{ hostOffset: SECTOR_SIZE, bytes: rest }];
    return { kind: "sector", hostOffset: 0, sector, extras };
  },
};

function grownSize(virtualSize: number, { align }: TargetOptionValues): number {
  return align === undefined ? virtualSize : alignUp(virtualSize, chosenAlign(align, "a raw disk"));
}

function backingRefusals({ backing }: ConversionOptions): readonly Words[] {
  if (backing === undefined) return [];
  return [
    `Cannot keep the backing file ${backing.name}: a raw disk has none; rebase the image with qemu-img rebase -b "" first`,
  ];
}
