/** What a VHD as a target takes, chooses and refuses, from the source's facts and the user's options. */

import { alignUp, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { UsageError } from "../../bytes/image-error.ts";
import type { Words } from "../../bytes/sentence.ts";
import { alignOption, chosenAlign, GPT_OPTION } from "../../image/disk-options.ts";
import type { ConversionOptions } from "../../image/source.ts";
import type { TargetOption, TargetOptionValues } from "../../image/target-options.ts";
import { judgeUnkept } from "../../image/unkept.ts";
import { DiskType, FOOTER_SIZE, footerChecksum, isFooter, MAX_VIRTUAL_SIZE, VhdFooterFields } from "./footer.ts";
import { sizeOf } from "./geometry.ts";

export const VPC_TARGET_OPTIONS: readonly TargetOption[] = [
  { name: "subformat", kind: "choice", choices: ["dynamic", "fixed"], help: "Type of VHD, by default dynamic" },
  {
    name: "force_size",
    kind: "boolean",
    isOfDisk: true,
    help: "Keep a fixed disk's size, in whole sectors, in place of a multiple of 1M as Azure wants it",
  },
  alignOption("1M for a fixed VHD unless force_size is on; a dynamic one keeps its size"),
  GPT_OPTION,
  { name: "block_size", kind: "size", isInternal: true, help: "Bytes of a dynamic disk's block, as it was" },
  { name: "footer", kind: "bytes", isInternal: true, help: "The footer as it was, so that the same file comes back" },
];

export interface VpcChoice {
  /** What the disk grows to a multiple of. */
  readonly align: number;
  /** The footer that a file had before; absent: a fresh one. */
  readonly footer: Uint8Array | undefined;
}

/** Whether a fixed VHD is asked for; by qemu-img's default it is none. Throws UsageError for what only a fixed one can have. */
export function isFixed({ subformat, align, gpt }: TargetOptionValues): boolean {
  if (subformat === "fixed") return true;
  const ofFixed = align !== undefined ? "align" : gpt !== undefined ? "gpt" : undefined;
  if (ofFixed === undefined) return false;
  throw new UsageError(`Cannot use ${ofFixed} for a dynamic VHD, which keeps its disk as it is; use subformat=fixed`);
}

/** What is asked of a fixed one; throws UsageError for values that no source could use. */
export function chooseVpc(options: TargetOptionValues): VpcChoice {
  const { force_size: forceSize, align = forceSize === true ? SECTOR_SIZE : MiB, footer } = options;
  return { align: chosenAlign(align, "a VHD"), footer: footer === undefined ? undefined : footerOf(`${footer}`) };
}

function footerOf(text: string): Uint8Array {
  const sector = new Uint8Array(Buffer.from(text, "hex"));
  if (sector.length === FOOTER_SIZE && isFooter(sector) && isOfFixed(sector)) return sector;
  throw new UsageError("Cannot use the footer that was given: it is none of a fixed VHD");
}

function isOfFixed(sector: Uint8Array): boolean {
  try {
    const { checksum, diskType } = VhdFooterFields.parse(sector);
    return checksum === footerChecksum(sector) && diskType === DiskType.fixed;
  } catch {
    // A size beyond all numbers.
    return false;
  }
}

/** Whether the footer of before speaks of this disk; else it is another, and gets one of its own. */
export function keepsFooter(virtualSize: number, { footer }: VpcChoice): boolean {
  if (footer === undefined) return false;
  const said = VhdFooterFields.parse(footer);
  return virtualSize === said.currentSize || virtualSize === sizeOf(said);
}

/** The disk as it will be: never shorter than it was, and as before under a footer of before. */
export function grownSize(virtualSize: number, choice: VpcChoice): number {
  return keepsFooter(virtualSize, choice) ? virtualSize : alignUp(virtualSize, choice.align);
}

/** All reasons why a VHD can't hold the source, and what is left behind by the user's word. */
export function judgeSource(
  source: ConversionOptions,
  grown: number,
  drop: ReadonlySet<string>,
  kind: "fixed" | "dynamic" = "fixed",
): { readonly refusals: readonly Words[]; readonly dropped: readonly string[] } {
  const unkept = judgeUnkept(source, { hasNone: `a ${kind} VHD has none`, name: `a ${kind} VHD` }, drop);
  const refusals: Words[] = [...unkept.refusals];
  if (source.backing !== undefined) {
    refusals.push(
      `Cannot keep the backing file: a ${kind} VHD has none; commit or rebase the image with qemu-img first`,
    );
  }
  if (grown > MAX_VIRTUAL_SIZE) {
    refusals.push(`Cannot store a disk of ${grown} bytes: a VHD ends at ${MAX_VIRTUAL_SIZE}, 2040 GiB`);
  }
  return { refusals, dropped: unkept.dropped };
}
