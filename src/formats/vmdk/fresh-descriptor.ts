/** The descriptor that a new VMDK gets, line by line, and why. */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import type { Identity } from "../../image/fresh-id.ts";
import type { TargetOption } from "../../image/target-options.ts";
import { crypto } from "../../storage/built-ins.ts";
import { DESCRIPTOR_MARK } from "./descriptor.ts";
import { FLAT } from "./extents.ts";

/** Of which controller the disk is; VMware and VirtualBox import none that does not say so. */
export const ADAPTERS = ["ide", "lsilogic", "buslogic", "legacyESX"] as const;
export type Adapter = (typeof ADAPTERS)[number];

export const ADAPTER_OPTION: TargetOption = {
  name: "adapter_type",
  kind: "choice",
  choices: ADAPTERS,
  help: "Controller of the disk; by default ide",
};

export function isAdapter(text: string | undefined): text is Adapter {
  return ADAPTERS.some((adapter) => adapter === text);
}

const SECTORS_PER_TRACK = 63;
/** What an IDE disk's cylinders are numbered by; a larger one is addressed by sectors. */
const MAX_IDE_CYLINDERS = 16_383;

/** `4` is what every VMware since Workstation 4 takes, and qemu-img writes. */
const HARDWARE_VERSION = 4;

/** What tells the kinds of VMDK apart. */
export interface VmdkKind {
  readonly createType: string;
  /** Of the one extent, which its file's name and, in a flat one, the place in it follow. */
  readonly extentType: string;
  readonly extentEnd: string;
}

export const FLAT_KIND: VmdkKind = { createType: FLAT, extentType: "FLAT", extentEnd: " 0" };
export const SPARSE_KIND: VmdkKind = { createType: "monolithicSparse", extentType: "SPARSE", extentEnd: "" };
export const STREAM_KIND: VmdkKind = { ...SPARSE_KIND, createType: "streamOptimized" };

export function freshDescriptor(
  fileName: string,
  virtualSize: number,
  adapter: Adapter,
  { createType, extentType, extentEnd }: VmdkKind,
  identity: Identity | undefined,
): Uint8Array {
  const sectors = virtualSize / SECTOR_SIZE;
  const heads = adapter === "ide" ? 16 : 255;
  const cylinders = Math.max(1, Math.floor(sectors / (heads * SECTORS_PER_TRACK)));
  const lines = [
    DESCRIPTOR_MARK,
    "version=1",
    'encoding="UTF-8"',
    `CID=${contentId(virtualSize, identity).toString(16).padStart(8, "0")}`,
    "parentCID=ffffffff",
    `createType="${createType}"`,
    "",
    "# Extent description",
    `RW ${sectors} ${extentType} "${fileName}"${extentEnd}`,
    "",
    "# The Disk Data Base",
    "#DDB",
    "",
    `ddb.virtualHWVersion = "${HARDWARE_VERSION}"`,
    `ddb.geometry.cylinders = "${adapter === "ide" ? Math.min(cylinders, MAX_IDE_CYLINDERS) : cylinders}"`,
    `ddb.geometry.heads = "${heads}"`,
    `ddb.geometry.sectors = "${SECTORS_PER_TRACK}"`,
    `ddb.adapterType = "${adapter}"`,
  ];
  return new Uint8Array(Buffer.from(`${lines.join("\n")}\n`));
}

/** By chance, or made by the seed; neither "no parent" nor what VMware takes for "not yet set". */
function contentId(virtualSize: number, identity: Identity | undefined): number {
  const hash = () => crypto().createHash("sha256").update(`vmdk ${identity?.seed} ${virtualSize}`).digest();
  const bytes = identity === undefined ? crypto().randomBytes(4) : hash();
  return Math.min(Math.max(Buffer.from(bytes).readUInt32BE(0), 1), 0xffff_fffd);
}
