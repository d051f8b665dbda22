/**
 * A guest whose own first or last bytes are an image's header: as a disk in one piece it would be taken for that image by
 * whoever probes it, and so read its host's files (CVE-2015-1851, CVE-2024-40767).
 */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, option, say } from "../../bytes/sentence.ts";
import { imageToldBy } from "../../formats/registry.ts";
import { guestStorage } from "../../image/guest/guest-storage.ts";
import type { GuestView } from "../../image/guest/view.ts";

export async function refuseProbedGuest(view: GuestView, path: string, targetFormat: string): Promise<void> {
  const told = await imageToldBy(guestStorage(view, path));
  if (told === undefined) return;
  const reason = say`its guest's disk looks like ${told}, and as ${targetFormat} the file would be taken for that`;
  throw new ImageError("unsupported", say`Cannot convert ${imageNamed(path)} to ${targetFormat}`, {
    because: reason,
    remedy: say`if that is what the guest is meant to hold, say so with ${option("allow-probed-guest")}`,
    path,
    operation: "probe",
    reasons: [say`${reason}; if that is meant, say so with ${option("allow-probed-guest")}`],
  });
}
