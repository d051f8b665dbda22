/** OVAs for the tests, made by nothing of `src/`: a tar of a descriptor, a manifest and a disk that is made already. */

import { createHash } from "node:crypto";
import { paxRecord, type TarPart, tarBytes } from "../../support/tar-bytes.ts";

export interface OvaDescription {
  readonly disk: Uint8Array;
  /** Default `disk.vmdk`. */
  readonly diskName?: string;
  /** Instead of one that names the disk; null for none. */
  readonly ovf?: string | Uint8Array | null;
  /** The digests' name, as it is written; absent: no manifest. */
  readonly manifest?: "SHA1" | "SHA256" | "SHA512";
  /** Instead of its right lines. */
  readonly manifestText?: string;
  readonly order?: readonly ("ovf" | "mf" | "disk" | "more")[];
  /** How headers are written. */
  readonly style?: "ustar" | "gnu" | "pax";
  /** Sizes as GNU writes large ones. */
  readonly isBinary?: boolean;
  readonly more?: readonly TarPart[];
  /** Two blocks of zeros; default true. */
  readonly hasEnd?: boolean;
  /** What lies behind the archive. */
  readonly behind?: Uint8Array;
}

export interface BuiltOva {
  readonly bytes: Buffer;
  /** Where the disk begins. */
  readonly diskAt: number;
}

const OVF = "http://schemas.dmtf.org/ovf/envelope/1";
const VMDK = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized";

/** Sizes in it are what nobody may believe. */
export function ovfText(href: string, file = "", disk = ""): string {
  return `<?xml version="1.0"?>
<Envelope xmlns="${OVF}" xmlns:ovf="${OVF}">
  <!-- <Disk ovf:fileRef="none"/> -->
  <References><File ovf:id="file1" ovf:href="${href}" ovf:size="17" ${file}/></References>
  <DiskSection><Info>Disks</Info>
    <Disk ovf:capacity="1" ovf:diskId="disk1" ovf:fileRef="file1" ovf:populatedSize="3" ovf:format="${VMDK}" ${disk}/>
  </DiskSection>
  <VirtualSystem ovf:id="box"><Name>A &amp; B</Name></VirtualSystem>
</Envelope>
`;
}

export function buildOva(description: OvaDescription): BuiltOva {
  const { disk, diskName = "disk.vmdk", manifest, more = [], hasEnd = true, behind = Buffer.alloc(0) } = description;
  const { style = "ustar", isBinary = false, order = ["ovf", "mf", "disk", "more"] } = description;
  const { ovf = ovfText(diskName) } = description;
  const descriptor: TarPart[] = ovf === null ? [] : [{ name: "box.ovf", content: Buffer.from(ovf) }];
  const parts = { ovf: descriptor, mf: [] as TarPart[], disk: [{ name: diskName, content: disk }], more };
  if (manifest !== undefined || description.manifestText !== undefined) {
    const lines = [...parts.ovf, ...parts.disk].map(
      ({ name, content = Buffer.alloc(0) }) =>
        `${manifest}(${name})= ${createHash(`${manifest ?? "SHA256"}`.toLowerCase())
          .update(content)
          .digest("hex")}\n`,
    );
    parts.mf.push({ name: "box.mf", content: Buffer.from(description.manifestText ?? lines.join("")) });
  }
  const flat = order.flatMap((kind) => parts[kind].flatMap((part) => written({ ...part, isBinary }, style)));
  const bytes = Buffer.concat([tarBytes(flat, hasEnd), behind]);
  return { bytes, diskAt: disk.length === 0 ? -1 : bytes.indexOf(disk) };
}

/** The part, and before it what the style says of it apart. */
function written(part: TarPart, style: OvaDescription["style"]): readonly TarPart[] {
  const { name, content = Buffer.alloc(0) } = part;
  if (style === "gnu") {
    const magic = "ustar  \0";
    const long = { name: "././@LongLink", type: "L", content: Buffer.from(`${name}\0`), magic };
    return [...(name.length > 3 ? [long] : []), { ...part, name: name.slice(0, 3), magic }];
  }
  if (style === "pax") {
    const records = [paxRecord("mtime", "1.5"), paxRecord("path", name), paxRecord("size", String(content.length))];
    const said = { name: "PaxHeader", type: "x", content: Buffer.concat(records) };
    return [said, { ...part, name: "another", size: part.size ?? 0 }];
  }
  return [part];
}

/** The sums of headers that were changed, put right; each begins at a multiple of 512. */
export function resealed(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const header = bytes.subarray(at, at + 512);
    if (header.toString("latin1", 257, 262) !== "ustar") continue;
    header.fill(" ", 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  }
  return bytes;
}
