/**
 * Where a VHD's footer is found: in the file's last sector, and of a dynamic disk once more in its first.
 *
 *   fixed      | the guest's bytes                    | footer |
 *   dynamic    | copy | header | BAT | blocks         | footer |
 *
 * QEMU 7.2 reads the copy of a dynamic disk alone, VirtualBox the footer first. So both have to be the same; where one of them
 * is no footer any more, the other speaks, and the check tells of it.
 */

import { hex, ImageError } from "../../bytes/image-error.ts";
import { readExactly, type Storage } from "../../storage/storage.ts";
import { DiskType, FOOTER_SIZE, footerChecksum, isFooter, type VhdFooter, VhdFooterFields } from "./footer.ts";
import { type Refuse, refusalsOf } from "./refusal.ts";

/** One that keeps the rules of all types, with where it lies. Offsets in bytes. */
export interface FoundFooter {
  readonly sector: Uint8Array;
  readonly footer: VhdFooter;
  readonly hostOffset: number;
  readonly fileSize: number;
  /** Of a dynamic disk's two the one that is none; absent where both are the same. */
  readonly spoiled: SpoiledFooter | undefined;
}

export interface SpoiledFooter {
  readonly isCopy: boolean;
  readonly hostOffset: number;
  /** True where nothing is there that calls itself a footer. */
  readonly isMissing: boolean;
  /** As it goes on after the footer's name. */
  readonly why: string;
}

/** Throws ImageError for the first rule that is broken. */
export async function findFooter(main: Storage): Promise<FoundFooter> {
  const refuse = refusalsOf(main.path, VhdFooterFields.name);
  const fileSize = await main.size();
  const lastOffset = fileSize - FOOTER_SIZE;
  const read = (hostOffset: number) => readExactly(main, hostOffset, FOOTER_SIZE, VhdFooterFields.name);
  const last = lastOffset < 0 ? undefined : await read(lastOffset);
  const first = lastOffset < FOOTER_SIZE ? undefined : await read(0);
  const atEnd = last && isFooter(last) ? judge(last, lastOffset) : undefined;
  const atStart = first && isFooter(first) ? judge(first, 0) : undefined;
  if (last && !atEnd && !atStart && lastOffset > 0 && isFooter(last.subarray(1))) {
    const because = "it is a VHD image (fixed) whose footer has 511 bytes, as before Virtual PC 2004";
    throw refuse("unsupported", because, lastOffset + 1, COPY_IT);
  }
  // Sound ones first; of the two of a dynamic disk the copy, as QEMU takes it.
  const found = [atEnd, atStart].filter((each) => each !== undefined);
  const [chosen, other] = found.toSorted((a, b) => Number(a.flaw !== undefined) - Number(b.flaw !== undefined));
  if (!chosen) {
    throw refuse("not-this-format", "its last 512 bytes do not begin with conectix", Math.max(0, lastOffset));
  }
  if (chosen.flaw !== undefined) {
    const both = other ? ", and so it is with the copy at its start" : "";
    throw refuse(
      chosen.flaw.kind,
      `${chosen.flaw.ofWhat} of its footer ${chosen.flaw.why}${both}`,
      chosen.flaw.hostOffset,
    );
  }
  const footer = parseFooter(chosen.sector, chosen.hostOffset);
  const base = { sector: chosen.sector, footer, hostOffset: chosen.hostOffset, fileSize };
  if (footer.diskType === DiskType.fixed) return { ...base, spoiled: undefined };
  const twin = other?.flaw ? undefined : other;
  if (twin) refuseDifference(chosen.sector, twin.sector, refuse);
  refuseOtherTypes(footer, chosen.hostOffset, refuse);
  if (twin) return { ...base, sector: twin.sector, hostOffset: 0, spoiled: undefined };
  const isCopy = chosen.hostOffset > 0;
  const why = other?.flaw ? `is none: ${other.flaw.ofWhat} in it ${other.flaw.why}` : "is not there";
  return {
    ...base,
    spoiled: { isCopy, hostOffset: isCopy ? 0 : lastOffset, isMissing: other === undefined, why },
  };
}

export const COPY_IT = "make a qcow2 copy of it first: qemu-img convert -f vpc -O qcow2";

interface Judged {
  readonly sector: Uint8Array;
  readonly hostOffset: number;
  readonly flaw:
    | {
        readonly kind: "corrupt" | "unsupported";
        readonly ofWhat: string;
        readonly why: string;
        readonly hostOffset: number;
      }
    | undefined;
}

function judge(sector: Uint8Array, hostOffset: number): Judged {
  const { checksum, version } = VhdFooterFields.fields;
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  const [stored, sum] = [view.getUint32(checksum.at), footerChecksum(sector)];
  const said = view.getUint32(version.at);
  const flaw =
    stored !== sum
      ? {
          kind: "corrupt" as const,
          ofWhat: "the checksum",
          why: `is ${hex(stored)}, its bytes make ${hex(sum)}`,
          hostOffset: hostOffset + checksum.at,
        }
      : said >>> 16 !== 1
        ? {
            kind: "unsupported" as const,
            ofWhat: `version ${hex(said)}`,
            why: "is not 0x10000",
            hostOffset: hostOffset + version.at,
          }
        : undefined;
  return { sector, hostOffset, flaw };
}

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
  if (diskType === DiskType.differencing) {
    const because = "it is a VHD image (differencing): a part of its disk lies in another file, its parent";
    throw refuse("unsupported", because, hostOffset, "merge it into its parent with what made it");
  }
  if (diskType === DiskType.dynamic) return;
  throw refuse("corrupt", `disk type ${diskType} of its footer is none of 2, 3 and 4`, hostOffset);
}

/** Readers differ in which of the two they take. */
function refuseDifference(footer: Uint8Array, copy: Uint8Array, refuse: Refuse): void {
  const differing = Object.entries(VhdFooterFields.fields).filter(([, { at, size }]) =>
    footer.subarray(at, at + size).some((byte, index) => byte !== copy[at + index]),
  );
  const [first] = differing;
  if (first === undefined) return;
  const names = differing.map(([name]) => name).filter((name) => name !== "checksum");
  const because = `its footer and the copy of it at its start disagree in ${names.join(", ")}, and programs differ in which they take`;
  throw refuse("corrupt", because, first[1].at, "make a copy of it with the program that wrote it");
}
