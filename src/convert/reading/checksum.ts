/** The digest of what an image's guest sees. */

import { FileVolume } from "../../storage/file/file-volume.ts";
import type { Volume } from "../../storage/storage.ts";
import { OpenedChain } from "../inspect/opened-chain.ts";
import { checksumRules, optionsOf } from "../options/option-rules.ts";
import type { ChecksumOptions } from "../options/options.ts";
import type { ChecksumReport } from "../report/report.ts";

/**
 * Reads all that the guest can see, writes nothing.
 *
 * @throws ImageError `unsupported` for an image with a backing file unless `backingChain` is set, for an encrypted
 * one and for one with an external data file; `in-use` where QEMU writes to it (but with `forceShare`); `corrupt` where its tables can't be followed; `interrupted`
 */
export async function checksum(
  path: string,
  options: ChecksumOptions = {},
  volume: Volume = new FileVolume(),
): Promise<ChecksumReport> {
  const given = optionsOf("checksum", path, checksumRules, options);
  const algorithm = given.algorithm ?? "blkhash-sha256";
  const guest = await OpenedChain.open(volume, path, given);
  try {
    const { digestGuest } = await import("../../image/guest/digest.ts");
    const digest = await digestGuest(await guest.wholeView(), algorithm, {
      onProgress: (done, total) => given.onProgress?.({ stage: "checksum", done, total }),
      signal: given.signal,
    });
    return { image: path, algorithm, covers: "guest", checksum: digest };
  } finally {
    await guest.close();
  }
}
