/** raw, which is never guessed, and bytes that match two formats (CVE-2015-1851, CVE-2024-40767). */

import { buildQcow2Image } from "../qcow2/builder.ts";
import { buildQedImage } from "../qed/builder.ts";
import type { CorpusCase } from "../../corpus/case.ts";

function qcow2With(text: string | Buffer, hostOffset: number): Buffer {
  const { bytes } = buildQcow2Image();
  Buffer.from(text as string, "latin1").copy(bytes, hostOffset < 0 ? bytes.length + hostOffset : hostOffset);
  return bytes;
}

const refuse = (name: string, says: RegExp, bytes: Buffer): CorpusCase => ({
  name: `refuse/raw/${name}`,
  target: "qed",
  qemu: "opens",
  says,
  bytes,
});

export const rawCases: readonly CorpusCase[] = [
  refuse("not-this-format--not-said", /-f raw/, Buffer.alloc(4096, 0x41)),
  refuse("not-this-format--empty", /it is empty, a file of 0 bytes/, Buffer.alloc(0)),
  refuse("unsupported--qcow2-and-vdi", /looks like qcow2 and vdi; name it with -f/, qcow2With("\x7f\x10\xda\xbe", 64)),
  refuse("unsupported--qcow2-and-a-boot-sector", /looks like qcow2 and a boot sector/, qcow2With("\x55\xaa", 510)),
  refuse("unsupported--qcow2-and-vpc", /looks like qcow2 and vpc/, Buffer.concat([
    buildQcow2Image().bytes.subarray(0, -512),
    Buffer.from("conectix".padEnd(512, "\0"), "latin1"),
  ])),
  refuse("unsupported--qed-and-vdi", /looks like qed and vdi/, (() => {
    const bytes = Buffer.from(buildQedImage({ virtualSize: 40 * 4096, data: [0] }).bytes);
    bytes.write("\x7f\x10\xda\xbe", 64, "latin1");
    return bytes;
  })()),
];
