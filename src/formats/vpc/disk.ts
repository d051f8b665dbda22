/** A fixed VHD as its footer has it: where the footer is found, and every rule that it must keep. */

import { isAligned, SECTOR_SIZE } from "../../bytes/align.ts";
import { hex, ImageError, type ImageErrorKind } from "../../bytes/image-error.ts";
import { imageNamed, placeAt, say, type Words } from "../../bytes/sentence.ts";
import { readExactly, type Storage } from "../../storage/storage.ts";
import {
  DiskType,
  FOOTER_SIZE,
  footerChecksum,
  isFooter,
  MAX_VIRTUAL_SIZE,
  type VhdFooter,
  VhdFooterFields,
} from "./footer.ts";
import { chooseSize, choosing, lookBetween } from "./size.ts";

/** A footer that keeps all rules, with what follows from it. Offsets and sizes in bytes. */
export interface VpcDisk {
  readonly sector: Uint8Array;
  readonly footer: VhdFooter;
  readonly virtualSize: number;
  readonly fileSize: number;
  /** What is said of bytes between the disk's end and the footer, which no reader shows; absent where there are none but zeros. */
  readonly unshown: string | undefined;
}

/** Throws ImageError for the first rule that is broken; `sizeFrom` is what the user chose. */
export async function readVpcDisk(main: Storage, sizeFrom: string | undefined): Promise<VpcDisk> {
  const refuse: Refuse = (kind, because, hostOffset, remedy = undefined) =>
    new ImageError(kind, say`Cannot open ${imageNamed(main.path)}`, {
      because: say`${because} (at host offset ${placeAt(hostOffset)})`,
      remedy,
      format: "vpc",
      path: main.path,
      structure: VhdFooterFields.name,
      hostOffset,
    });
  const fileSize = await main.size();
  const { sector, hostOffset } = await findFooter(main, fileSize, refuse);
  const { fields } = VhdFooterFields;
  const sum = footerChecksum(sector);
  const footer = parseFooter(sector, hostOffset);
  if (footer.checksum !== sum) {
    const because = `the checksum of its footer is ${hex(footer.checksum)}, its bytes make ${hex(sum)}`;
    throw refuse("corrupt", because, hostOffset + fields.checksum.at);
  }
  if (footer.version >>> 16 !== 1) {
    const because = `version ${hex(footer.version)} of its footer is not 0x10000`;
    throw refuse("unsupported", because, hostOffset + fields.version.at);
  }
  refuseOtherTypes(footer, hostOffset, refuse);
  if (hostOffset + FOOTER_SIZE !== fileSize) {
    const because = "it is a VHD image (fixed) by a footer at its start, and there is none at its end";
    throw refuse("out-of-bounds", because, hostOffset);
  }
  await refuseSecondFooter(main, hostOffset, refuse);
  if (!isAligned(hostOffset, SECTOR_SIZE)) {
    throw refuse("corrupt", `its footer at ${hex(hostOffset)} lies at no multiple of 512`, hostOffset);
  }
  const virtualSize = await chooseSize(main, footer, hostOffset, sizeFrom);
  const sizeAt = hostOffset + fields.currentSize.at;
  if (!isAligned(virtualSize, SECTOR_SIZE)) {
    throw refuse("corrupt", `its disk of ${virtualSize} bytes is no multiple of 512`, sizeAt);
  }
  if (virtualSize > hostOffset) {
    const because = `its disk of ${virtualSize} bytes ends behind its footer at ${hostOffset}`;
    const hasAnother = sizeFrom === "chs" && footer.currentSize <= hostOffset;
    throw refuse("out-of-bounds", because, sizeAt, hasAnother ? choosing("current") : undefined);
  }
  if (virtualSize > MAX_VIRTUAL_SIZE) {
    throw refuse("unsupported", `its disk of ${virtualSize} bytes is larger than 2040 GiB`, sizeAt);
  }
  return { sector, footer, virtualSize, fileSize, unshown: await unshownIn(main, virtualSize, hostOffset) };
}

type Refuse = (kind: ImageErrorKind, because: Words, hostOffset: number, remedy?: Words) => ImageError;

/** The last 512 bytes, or, in a dynamic one that was cut off, the copy at the start. */
async function findFooter(storage: Storage, fileSize: number, refuse: Refuse) {
  for (const hostOffset of [fileSize - FOOTER_SIZE, 0]) {
    if (hostOffset < 0 || fileSize < FOOTER_SIZE) continue;
    const sector = await readExactly(storage, hostOffset, FOOTER_SIZE, VhdFooterFields.name);
    if (isFooter(sector)) return { sector, hostOffset };
    if (hostOffset > 0 && isFooter(sector.subarray(1))) {
      const because = "it is a VHD image (fixed) whose footer has 511 bytes, as before Virtual PC 2004";
      throw refuse("unsupported", because, hostOffset + 1, COPY_IT);
    }
  }
  throw refuse("not-this-format", "its last 512 bytes do not begin with conectix", Math.max(0, fileSize - FOOTER_SIZE));
}

const COPY_IT = "make a qcow2 copy of it first: qemu-img convert -f vpc -O qcow2";

/** An error of a field counts from the footer's start. */
function parseFooter(sector: Uint8Array, footerOffset: number): VhdFooter {
  try {
    return VhdFooterFields.parse(sector);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const hostOffset = footerOffset + (error.hostOffset ?? VhdFooterFields.fields.currentSize.at);
    throw new ImageError(error.kind, error.what, { ...error.facts, ...error.words, hostOffset, cause: error });
  }
}

function refuseOtherTypes({ diskType }: VhdFooter, footerOffset: number, refuse: Refuse): void {
  const hostOffset = footerOffset + VhdFooterFields.fields.diskType.at;
  switch (diskType) {
    case DiskType.fixed:
      return;
    case DiskType.dynamic:
      throw refuse("unsupported", "it is a VHD image (dynamic), which can't be read yet", hostOffset, COPY_IT);
    case DiskType.differencing: {
      const because = "it is a VHD image (differencing): a part of its disk lies in another file, its parent";
      throw refuse("unsupported", because, hostOffset, "merge it into its parent with what made it");
    }
    default:
      throw refuse("corrupt", `disk type ${diskType} of its footer is none of 2, 3 and 4`, hostOffset);
  }
}

/** QEMU reads a footer at the start, where there is one, in place of the one at the end. */
async function refuseSecondFooter(storage: Storage, footerOffset: number, refuse: Refuse): Promise<void> {
  if (footerOffset < FOOTER_SIZE) return;
  if (!isFooter(await readExactly(storage, 0, FOOTER_SIZE, VhdFooterFields.name))) return;
  throw refuse("unsupported", "it is a VHD image (fixed) that begins with a footer too, as a dynamic one does", 0);
}

async function unshownIn(storage: Storage, start: number, end: number): Promise<string | undefined> {
  if (end === start) return undefined;
  const { isZero, words } = await lookBetween(storage, start, end);
  return isZero ? undefined : `bytes ${start} to ${end} before the footer, which ${words}`;
}
