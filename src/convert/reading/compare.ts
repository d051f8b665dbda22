/** Whether two images show their guests the same bytes. */

import { alignDown, SECTOR_SIZE } from "../../bytes/align.ts";
import type { GuestView } from "../../image/guest/view.ts";
import { FileVolume } from "../../storage/file/file-volume.ts";
import type { Volume } from "../../storage/storage.ts";
import { OpenedChain } from "../inspect/opened-chain.ts";
import { compareRules, lookAtOptions, pathMistakes, refuseMistakes } from "../options/option-rules.ts";
import type { CompareOptions } from "../options/options.ts";
import type { CompareReport } from "../report/report.ts";

/**
 * As `qemu-img compare`: allocation does not count, and disks of different sizes are the same where the longer one's tail
 * is zeros. `sizes` tells them apart. With `strict`, its `-s`, both are differences. qemu-img may then call two images
 * different because runs that are alike reach the disk's end from different places; here what is alike is the same.
 *
 * @throws ImageError as `checksum` does
 */
export async function compare(
  a: string,
  b: string,
  options: CompareOptions = {},
  volume: Volume = new FileVolume(),
): Promise<CompareReport> {
  const { given, mistakes } = lookAtOptions("compare", compareRules, options);
  refuseMistakes([...[a, b].flatMap((path) => pathMistakes(path)), ...mistakes]);
  const { formatA, formatB, backingChain, forceShare, allowMarkedRaw } = given;
  const both = { backingChain, forceShare, allowMarkedRaw };
  const guestA = await OpenedChain.open(volume, a, { ...both, format: formatA });
  try {
    const guestB = await OpenedChain.open(volume, b, { ...both, format: formatB });
    try {
      const views = await bothViews(guestA, guestB);
      const sizes = [views[0].virtualSize, views[1].virtualSize] as const;
      if (given.strict && sizes[0] !== sizes[1]) return strictDifference(null, sizes);
      const { firstAllocationDifference, firstGuestDifference } = await import("../../image/guest/compare.ts");
      const strictEnd = given.strict ? firstAllocationDifference(views[0].table, views[1].table) : null;
      const firstDifference = await firstGuestDifference(...views, {
        end: strictEnd ?? undefined,
        onProgress: (done, total) => given.onProgress?.({ stage: "compare", done, total }),
        signal: given.signal,
      });
      if (strictEnd !== null && firstDifference === null) return strictDifference(strictEnd, sizes);
      return { identical: firstDifference === null, firstDifference, sizes, message: verdict(firstDifference, sizes) };
    } finally {
      await guestB.close();
    }
  } finally {
    await guestA.close();
  }
}

/** At once: where holes are asked for, each is a process of its own. Neither goes on when the other has thrown. */
async function bothViews(a: OpenedChain, b: OpenedChain): Promise<readonly [GuestView, GuestView]> {
  const view = async (guest: OpenedChain) => guest.wholeView();
  const [viewA, viewB] = await Promise.allSettled([view(a), view(b)]);
  if (viewA.status === "rejected") throw viewA.reason;
  if (viewB.status === "rejected") throw viewB.reason;
  return [viewA.value, viewB.value];
}

/** qemu-img's words. It names the sector that differs, not the byte, and warns of sizes only once it has come so far. */
function verdict(firstDifference: number | null, [sizeOfA, sizeOfB]: readonly [number, number]): string {
  const reached = firstDifference ?? Number.POSITIVE_INFINITY;
  const warning = sizeOfA !== sizeOfB && reached >= Math.min(sizeOfA, sizeOfB) ? "Warning: Image size mismatch!\n" : "";
  if (firstDifference === null) return `${warning}Images are identical.`;
  return `${warning}Content mismatch at offset ${alignDown(firstDifference, SECTOR_SIZE)}!`;
}

/** Null: of the sizes. In qemu-img's words. */
function strictDifference(firstDifference: number | null, sizes: readonly [number, number]): CompareReport {
  const what = firstDifference === null ? "Image size mismatch" : `Offset ${firstDifference} block status mismatch`;
  return { identical: false, firstDifference, sizes, message: `Strict mode: ${what}!` };
}
