/** VHDs: one accepted for each thing that a fixed one's footer can say, one refused for each rule, made byte by byte. */

import type { CorpusCase } from "../../corpus/case.ts";
import { buildQcow2Image } from "../qcow2/builder.ts";
import { buildFooter, buildMkimgVhd, buildVpc, sealed, type VpcDescription } from "./builder.ts";

const MiB = 1024 * 1024;
const PLAIN: VpcDescription = { virtualSize: 40 * 4096, data: [0, 1, 5] };

const bytesOf = (description: VpcDescription) => Buffer.from(buildVpc(description).bytes);

const accept = (name: string, bytes: Buffer): CorpusCase => ({
  name: `accept/vpc/${name}`,
  bytes,
  target: "qcow2",
  qemu: "opens",
});
const refuse = (
  name: string,
  says: RegExp,
  qemu: CorpusCase["qemu"],
  bytes: Buffer,
  more: Pick<CorpusCase, "format"> | Record<string, never> = {},
): CorpusCase => ({ name: `refuse/vpc/${name}`, target: "qcow2", qemu, says, bytes, ...more });

/** With something else in its last 512 bytes, and the right sum. */
function resealed(change: (footer: Buffer) => unknown): Buffer {
  const bytes = bytesOf(PLAIN);
  const footer = bytes.subarray(bytes.length - 512);
  change(footer);
  sealed(footer);
  return bytes;
}

function bootable(): Buffer {
  const bytes = bytesOf({ ...PLAIN, data: [] });
  bytes.set([0xeb, 0x63, 0x90]);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}

function with511(): Buffer {
  const footer = buildFooter({ currentSize: PLAIN.virtualSize });
  return Buffer.concat([Buffer.alloc(PLAIN.virtualSize), footer.subarray(0, 511)]);
}

/** Until there are conversions from it, only reading is tried. */
export const vpcAccepted: readonly CorpusCase[] = [
  accept("plain", bytesOf(PLAIN)),
  accept("a-boot-sector", bootable()),
  accept("one-sector", bytesOf({ virtualSize: 512, data: [0] })),
  accept("geometry-and-size-agree", bytesOf({ ...PLAIN, virtualSize: 10 * 4 * 17 * 512, creator: "vpc ", geometry: [10, 4, 17] })),
  accept("largest-geometry-of-any-creator", bytesOf({ ...PLAIN, creator: "vpc " })),
  ...["win ", "qem2", "d2v ", "tap\0", "CTXS"].map((creator) =>
    accept(`size-of-${creator.replace(/\W/, "")}`, bytesOf({ ...PLAIN, creator, geometry: [3, 4, 17] })),
  ),
  accept("features-temporary", bytesOf({ ...PLAIN, features: 3 })),
  accept("version-1.1", bytesOf({ ...PLAIN, version: 0x10001 })),
  accept("data-offset-as-the-specification-has-it", resealed((footer) => footer.fill(0, 16, 20))),
  accept("original-size-of-another", resealed((footer) => footer.fill(0xff, 40, 48))),
  accept("reserved-bytes", bytesOf({ ...PLAIN, reservedByte: 0x5a })),
  accept("zeros-before-the-footer", bytesOf({ ...PLAIN, between: new Uint8Array(4096) })),
  accept("bytes-before-the-footer", bytesOf({ ...PLAIN, between: new Uint8Array(4096).fill(1) })),
];

const sizes = (creator: string, geometry: readonly [number, number, number], between = new Uint8Array(0)) =>
  bytesOf({ virtualSize: MiB, data: [0, 255], creator, geometry, between });

export const vpcCases: readonly CorpusCase[] = [
  refuse("corrupt--checksum", /checksum of its footer is 0x5, its bytes make 0xf.*0x28040/, "refuses", bytesOf({ ...PLAIN, checksum: 5 })),
  refuse("corrupt--checksum-after-a-byte", /checksum/, "refuses", (() => {
    const bytes = bytesOf(PLAIN);
    bytes[bytes.length - 1] = 1;
    return bytes;
  })()),
  refuse("unsupported--version-2", /version 0x20000/, "opens", bytesOf({ ...PLAIN, version: 0x20000 })),
  refuse("unsupported--differencing", /\(differencing\).*its parent/, "refuses", bytesOf({ ...PLAIN, diskType: 4 })),
  ...[0, 1, 5, 0xffffffff].map((diskType) =>
    refuse(`corrupt--disk-type-${diskType}`, /disk type \d+ .* none of 2, 3 and 4/, "refuses", bytesOf({ ...PLAIN, diskType })),
  ),
  refuse("out-of-bounds--fixed-cut-before-its-footer", /footer at its start, and there is none at its end/, "refuses", Buffer.concat([
    buildFooter({ currentSize: 4096 }),
    Buffer.alloc(4096),
  ])),
  refuse("unsupported--begins-with-a-footer-too", /begins with a footer too/, "refuses", (() => {
    const bytes = bytesOf({ ...PLAIN, data: [] });
    buildFooter({ currentSize: 4096 }).copy(bytes);
    return bytes;
  })()),
  refuse("unsupported--footer-of-511-bytes", /footer has 511 bytes.*qemu-img convert -f vpc/, "opens", with511()),
  refuse("corrupt--footer-at-no-sector", /footer at 0x28064 lies at no multiple of 512/, "refuses", bytesOf({ ...PLAIN, between: new Uint8Array(100) })),
  refuse("not-this-format--shorter-than-a-footer", /do not begin with conectix/, "refuses", Buffer.from("conectix"), { format: "vpc" }),
  refuse("not-this-format--no-footer", /do not begin with conectix/, "refuses", Buffer.alloc(4096, 1), { format: "vpc" }),
  refuse("corrupt--size-beyond-2-to-the-53", /currentSize.*beyond 2\^53/, "refuses", bytesOf({ ...PLAIN, currentSize: 2n ** 63n })),
  refuse("corrupt--size-unaligned", /disk of 163741 bytes is no multiple of 512/, "opens", bytesOf({ ...PLAIN, currentSize: 40 * 4096 - 99 })),
  refuse("out-of-bounds--size-behind-the-footer", /disk of 164352 bytes ends behind its footer at 163840/, "opens", bytesOf({ ...PLAIN, currentSize: 40 * 4096 + 512 })),
  refuse("unsupported--mkimg", /current size is 5242880 bytes, its geometry 150 × 4 × 17 comes to 5222400, .*bytes 5222400 to 5242880 between them hold data, a GPT's backup header at 0x4ffe00 among it.*-o size_from=current, or choose with -o size_from=chs/, "opens", Buffer.from(buildMkimgVhd().bytes)),
  refuse("unsupported--sizes-disagree-over-zeros", /between them are zeros/, "opens", bytesOf({ virtualSize: MiB, data: [0], creator: "vpc ", geometry: [30, 4, 17] })),
  refuse("unsupported--sizes-disagree-over-data", /between them hold data/, "opens", sizes("vbox", [30, 4, 17])),
  refuse("unsupported--geometry-behind-the-footer", /lie outside the file \(the footer begins at 1048576\); choose with -o size_from=current \(/, "opens", sizes("vpc ", [31, 4, 17])),
  refuse("unsupported--geometry-larger", /bytes 1048576 to 1079296 between them are zeros/, "opens", sizes("vpc ", [31, 4, 17], new Uint8Array(64 * 1024))),
  refuse("unsupported--geometry-of-nothing", /comes to 0/, "opens", sizes("wa\0\0", [0, 0, 0])),
  refuse("unsupported--vpc-and-qcow2", /looks like qcow2 and vpc/, "opens", Buffer.concat([
    buildQcow2Image().bytes,
    buildFooter({ currentSize: 4096 }),
  ])),
  refuse("unsupported--vpc-and-vmdk", /looks like vpc and vmdk/, "opens", (() => {
    const bytes = bytesOf(PLAIN);
    bytes.write("KDMV", 0, "latin1");
    return bytes;
  })()),
];

/** What can be read and not converted. */
export const vpcUnclean: readonly CorpusCase[] = [
  refuse("unsupported--saved-state", /in saved state/, "opens", bytesOf({ ...PLAIN, savedState: 1 })),
  refuse("unsupported--zeros-before-the-footer", /bytes 163840 to 167936 lie between its disk and its footer/, "opens", bytesOf({ ...PLAIN, between: new Uint8Array(4096) })),
  refuse("unsupported--bytes-before-the-footer", /bytes 163840 to 167936 lie between/, "opens", bytesOf({ ...PLAIN, between: new Uint8Array(4096).fill(1) })),
];
