/** A fixed VHD as its footer has it: every rule that it must keep. */

import { isAligned, SECTOR_SIZE } from "../../bytes/align.ts";
import { hex } from "../../bytes/image-error.ts";
import { readExactly, type Storage } from "../../storage/storage.ts";
import { FOOTER_SIZE, isFooter, MAX_VIRTUAL_SIZE, type VhdFooter, VhdFooterFields } from "./footer.ts";
import type { FoundFooter } from "./found-footer.ts";
import { type Refuse, refusalsOf } from "./refusal.ts";
import { chooseSize, choosing, lookBetween } from "./size.ts";

/** A footer that keeps all rules, with what follows from it. Offsets and sizes in bytes. */
export interface FixedDisk {
  readonly sector: Uint8Array;
  readonly footer: VhdFooter;
  readonly virtualSize: number;
  readonly fileSize: number;
  /** What is said of bytes between the disk's end and the footer, which no reader shows; absent where there are none but zeros. */
  readonly unshown: string | undefined;
}

/** Throws ImageError for the first rule that is broken; `sizeFrom` is what the user chose. */
export async function readFixedDisk(
  main: Storage,
  { sector, footer, hostOffset, fileSize }: FoundFooter,
  sizeFrom: string | undefined,
): Promise<FixedDisk> {
  const refuse = refusalsOf(main.path, VhdFooterFields.name);
  if (hostOffset + FOOTER_SIZE !== fileSize) {
    const because = "it is a VHD image (fixed) by a footer at its start, and there is none at its end";
    throw refuse("out-of-bounds", because, hostOffset);
  }
  await refuseSecondFooter(main, hostOffset, refuse);
  if (!isAligned(hostOffset, SECTOR_SIZE)) {
    throw refuse("corrupt", `its footer at ${hex(hostOffset)} lies at no multiple of 512`, hostOffset);
  }
  const virtualSize = await chooseSize(footer, sizeFrom, {
    path: main.path,
    footerOffset: hostOffset,
    limit: hostOffset,
    limitWords: `the footer begins at ${hostOffset}`,
    guest: main,
  });
  const sizeAt = hostOffset + VhdFooterFields.fields.currentSize.at;
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
