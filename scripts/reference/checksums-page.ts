/** docs/reference/checksums.md: what the two digests are, and how other tools come to them. */

import { BLOCK_SIZE } from "../../src/image/guest/block-work.ts";
import { block, page, table } from "./markdown.ts";

/** Disks whose content a sentence says, for a reader's own program to be tried on. The test computes each digest anew. */
export const vectors: readonly {
  readonly content: string;
  readonly digest: string;
  readonly bytes: () => Uint8Array;
}[] = [
  {
    content: "65,536 bytes 0x41",
    digest: "2e3a5f57d5e726ee5de62db1a85ff816f4fa6ea4627807d9a51bdc4c883e165e",
    bytes: () => Buffer.alloc(65_536, 0x41),
  },
  {
    content: "1 MiB of zeros",
    digest: "3dd455346755274ce76f1c555df5e05c1cdd8da4b1c70ab7c2a6b09f51bb5ce0",
    bytes: () => Buffer.alloc(1 << 20),
  },
  {
    content: "307,712 bytes, byte i being (7·i + ⌊i/251⌋) mod 256",
    digest: "838036ba5e2bbc0f5eb9191a62476694559dfaff20be0529c2147b5d16142000",
    bytes: () => Uint8Array.from({ length: 307_712 }, (_, at) => 7 * at + Math.floor(at / 251)),
  },
];

/** Each prints the digest of `disk.raw` in hex. */
export const recipes = {
  bash: `disk=disk.raw
size=$(stat -c %s "$disk")
{
  split -b 64K --filter='openssl dgst -sha256 -binary' "$disk"
  for shift in 0 8 16 24 32 40 48 56; do
    printf "\\\\x$(printf %02x $((size >> shift & 255)))"
  done
} | sha256sum`,
  node: `import { createHash } from "node:crypto";
import { openSync, readSync } from "node:fs";

const [disk, outer, block] = [openSync("disk.raw"), createHash("sha256"), Buffer.alloc(65536)];
let size = 0;
for (let length = readSync(disk, block); length > 0; length = readSync(disk, block)) {
  outer.update(createHash("sha256").update(block.subarray(0, length)).digest());
  size += length;
}
const end = Buffer.alloc(8);
end.writeBigUInt64LE(BigInt(size));
console.log(outer.update(end).digest("hex"));`,
};

export function checksumsPage(): string {
  return page(
    "Checksums",
    "A checksum is of the guest's disk: the bytes that a virtual machine would read, whatever the format and wherever they lie in the file. It doesn't change with a conversion, and that is what it is for. `checksum IMAGE` prints it, `convert` computes it before and after.",
    "| name | what it is | of what use |\n| --- | --- | --- |\n" +
      "| `blkhash-sha256` | a digest of digests, below; the default | fast: holes and zeros cost next to nothing, blocks are hashed on several threads |\n" +
      "| `sha256` | SHA-256 of all bytes of the disk in order | what `sha256sum` says of the raw disk |",
    "## blkhash-sha256",
    "The construction of the [blkhash](https://gitlab.com/nirs/blkhash) project, whose `blksum -d sha256` prints the same of a raw file:",
    `1. Cut the disk into blocks of 64 KiB (${BLOCK_SIZE} bytes); the last may be shorter, and is not filled up.\n` +
      "2. Take SHA-256 of each block: 32 bytes.\n" +
      "3. Put all of these one after the other, in the order of the blocks, and after them the disk's size in bytes as an unsigned integer of 64 bits, little-endian.\n" +
      "4. SHA-256 of that, in lower-case hex, is the checksum.",
    "A block of zeros has no special digest. It is that of 64 KiB of zeros, which is computed once and used for every block that reads as zeros; for a hole nothing has to be read. Without any block, of a disk of 0 bytes, the size alone is hashed. Allocated or not, compressed or not, makes no difference.",
    "Some disks, to try another program on:",
    table(
      ["content", "blkhash-sha256"],
      vectors.map(({ content, digest }) => [content, `\`${digest}\``]),
    ),
    "## With other tools",
    "Of a raw disk; of any other image have it made one first, as by `qemu-img convert -O raw disk.qcow2 disk.raw`. `sha256` is `sha256sum disk.raw`. `blkhash-sha256` is `blksum -d sha256 disk.raw`, or with what most systems have (bash, coreutils, openssl; slow, since it starts a program a block):",
    block("sh", recipes.bash),
    "With Node alone:",
    block("js", recipes.node),
    "## What it covers",
    "`covers` in the JSON is `guest` where the checksum is of all that the guest sees. An image with a backing file sees that through its own: without `--backing-chain` a conversion computes the checksum of what this file alone holds, what it lacks counted as zeros, and says `layer`. `checksum` refuses then.",
    "A conversion that changes the guest, since it was asked to (`-o align`, `-o gpt=relocate`, a VHD's whole MiB), has another checksum after; `guest-changes` lists each range.",
  );
}
