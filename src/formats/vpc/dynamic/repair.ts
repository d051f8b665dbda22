/**
 * What mends a dynamic VHD: one of its two footers, from the other. All else that its check finds needs a copy.
 *
 * The sector that is written is none that anybody reads as a footer, and the other one stays: so each mixture of old and new
 * is the same disk.
 */

import type { Repair, RepairWishes } from "../../../image/repair.ts";
import type { BlockScan } from "./block-scan.ts";
import type { DynamicDisk } from "./header.ts";

export function planFooterRepair(
  { sector, fileSize, spoiled }: DynamicDisk,
  { findings }: BlockScan,
  { scope }: RepairWishes,
): Repair {
  // Where the end has no footer at all what lies there is a block's, perhaps, and the file's length is in doubt.
  const isMendable = scope === "all" && spoiled !== undefined && (spoiled.isCopy || !spoiled.isMissing);
  const found = findings.list.findings.filter(({ kind }) => kind === "footer-missing" || kind === "footer-bad");
  const mended = (isMendable ? found : []).map((finding) => ({
    ...finding,
    message: `Repairing the ${finding.structure} from the other one`,
  }));
  const writes = isMendable ? [{ hostOffset: spoiled.hostOffset, bytes: sector }] : [];
  return {
    additiveWrites: () => [],
    steps: isMendable ? [{ purpose: "write the footer from its twin", writes }] : [],
    fileSize,
    mended,
    leaksFixed: 0,
    corruptionsFixed: mended.length,
    losses: [],
    givenUp: [],
  };
}
