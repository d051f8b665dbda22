/** Whether an archive is an OVA that can be converted as it is: its descriptor comes first, and names one disk, as it lies there. */

import { isOvfName, MAX_OVF_BYTES, ovfDisks } from "../../bytes/ovf-text.ts";
import { TAR_BLOCK } from "../../bytes/tar-header.ts";
import { ImageError } from "../../index.ts";
import { ByteReader } from "./byte-reader.ts";
import { tarEntries } from "./tar.ts";

/** For the descriptor, and what stands before it. */
const HEAD_LENGTH = MAX_OVF_BYTES + 16 * TAR_BLOCK;

/** Reads no more than the descriptor can have; all of it will be read again. */
export async function isWholeOva(reader: ByteReader): Promise<boolean> {
  const head = await reader.peek(HEAD_LENGTH);
  const once = async function* () {
    yield head;
  };
  try {
    for await (const { name, kind, size, bytes } of tarEntries(once())) {
      if (kind === "folder") continue;
      // Where another member is first, whoever takes the images out says what is wrong with them.
      if (kind !== "file" || !isOvfName(name) || size > MAX_OVF_BYTES) return false;
      const [disk, second] = ovfDisks(await new ByteReader(bytes()).take(size)) ?? [];
      if (disk === undefined || second !== undefined) return false;
      const { href, compression, isChunked, format } = disk;
      return href !== undefined && compression === undefined && !isChunked && /vmdk/i.test(format);
    }
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
  }
  return false;
}
