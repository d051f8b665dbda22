/** The footer that a new VHD gets, field by field, and why. */

import { freshId, type Identity } from "../../image/fresh-id.ts";
import { ALL_ONES, DiskType, FOOTER_SIZE, footerChecksum, VHD_COOKIE, VhdFooterFields } from "./footer.ts";
import { geometryFor } from "./geometry.ts";

/** What `timestamp` counts from, in milliseconds since 1970. */
const YEAR_2000 = Date.UTC(2000, 0, 1);

/**
 * The creator decides which size others take (size.ts). qemu-img's own, `qem2`, is taken by its current size too, but it
 * goes with the largest geometry, whatever the disk. `win ` goes with the specification's, and every QEMU asked took the
 * current size all the same. The version is that of Windows 10; nobody was seen to ask for it.
 */
const CREATOR = { creator: "win ", creatorVersion: 0x000a_0000, creatorHost: "Wi2k" } as const;

/** `identity` makes id and time the same each time; by default they are chance and the clock. A dynamic disk's header lies right behind the copy. */
export function freshFooter(virtualSize: number, identity?: Identity, diskType: number = DiskType.fixed): Uint8Array {
  const sector = new Uint8Array(FOOTER_SIZE);
  const values = {
    cookie: Buffer.from(VHD_COOKIE),
    // The bit that is always set, and nothing else.
    features: 2,
    version: 0x0001_0000,
    // A fixed disk has no dynamic header. The specification has 32 ones; qemu-img writes 64, and libvhdi takes no others.
    dataOffset: diskType === DiskType.fixed ? ALL_ONES : { high: 0, low: FOOTER_SIZE },
    timestamp: identity === undefined ? Math.floor((Date.now() - YEAR_2000) / 1000) : 0,
    creator: Buffer.from(CREATOR.creator),
    creatorVersion: CREATOR.creatorVersion,
    creatorHost: Buffer.from(CREATOR.creatorHost),
    // The same: libvhdi takes it for the disk's size.
    originalSize: { high: Math.floor(virtualSize / 2 ** 32), low: virtualSize % 2 ** 32 },
    currentSize: virtualSize,
    ...geometryFor(virtualSize),
    diskType,
    checksum: 0,
    id: freshId("vpc", virtualSize, identity, 6),
    savedState: 0,
    reserved: new Uint8Array(VhdFooterFields.fields.reserved.size),
  };
  VhdFooterFields.encode(values, sector);
  VhdFooterFields.encode({ ...values, checksum: footerChecksum(sector) }, sector);
  return sector;
}
