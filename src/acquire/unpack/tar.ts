/** The entries of a tar archive, read once from its start to its end. */

import { paddedToBlocks, TAR_BLOCK, type TarMember, TarReader } from "../../bytes/tar-header.ts";
import { ImageError } from "../../index.ts";
import { ByteReader, type Bytes } from "./byte-reader.ts";

export interface TarEntry extends TarMember {
  /** To be read, if at all, before the next entry is asked for. */
  bytes(): AsyncIterable<Uint8Array>;
}

/** @throws ImageError `corrupt` where the archive is damaged or cut off */
export async function* tarEntries(bytes: Bytes): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(bytes);
  const blocks = new TarReader();
  for (;;) {
    // An archive should end in two blocks of zeros; many end without.
    if ((await reader.peek(1)).length === 0) return;
    const header = await reader.take(TAR_BLOCK);
    if (header.every((byte) => byte === 0)) {
      // To its end, so that whoever takes the digest of it all sees it all.
      for await (const _ of reader.bytes());
      return;
    }
    const block = blocks.next(header);
    if ("extended" in block) {
      const content = await reader.take(paddedToBlocks(block.extended));
      blocks.addExtended(content.subarray(0, block.extended));
      continue;
    }
    const { size } = block.member;
    let left = size;
    yield {
      ...block.member,
      async *bytes() {
        while (left > 0) {
          const chunk = await reader.chunk(left);
          if (chunk === undefined) throw new ImageError("corrupt", "it is cut off");
          left -= chunk.length;
          yield chunk;
        }
      },
    };
    await reader.skip(left + paddedToBlocks(size) - size);
  }
}
