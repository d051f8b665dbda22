/** One guest range pointed at a host range, as one switch of the image to its own format. */

import { isAligned } from "../../bytes/align.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, placeAt, say } from "../../bytes/sentence.ts";
import { openImage } from "../../formats/registry.ts";
import { targetOf } from "../../formats/target-registry.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, eachExtent, isStored } from "../../image/extent.ts";
import { makeable } from "../../image/target-options.ts";
import { planSwitch } from "../../plan/switch-plan.ts";
import { OpenedBacking } from "../inspect/opened-backing.ts";
import { inspectSource, refuseCorruption, type Source } from "../inspect/source.ts";
import type { OpenOptions } from "../options/options.ts";
import { settingsOf } from "../options/settings.ts";
import type { SetmapReport } from "../report/report.ts";
import type { Host } from "../session/host.ts";
import { Session } from "../session/session.ts";
import { Stopwatch } from "../session/stopwatch.ts";
import { refuseUnfinished } from "../session/surroundings.ts";
import { readHeaderArea } from "../switch/switch-planning.ts";
import { carryOut } from "./switch-step.ts";

/** Bytes of guest and of file; all multiples of the cluster size, but for a length that ends the disk. */
export interface MappedRange {
  readonly guestOffset: number;
  readonly hostOffset: number;
  readonly length: number;
}

/** As `setmap`, of numbers and options that have been looked through. */
export async function setMapping(
  path: string,
  range: MappedRange,
  given: OpenOptions,
  host: Host,
): Promise<SetmapReport> {
  const settings = settingsOf({ ...given, checksum: "none" });
  const session = await Session.open({ path, sidecar: undefined }, host, "set the mapping of");
  try {
    await refuseUnfinished(session);
    const found = await inspectSource(await openImage(session.storage, given.format, given));
    const target = targetOf(found.image.format);
    if (!target)
      throw new ImageError("unsupported", say`Cannot set the mapping of ${imageNamed(path)}`, {
        because: `${found.image.format} has no tables`,
      });
    refuseCorruption(found);
    const mapping = remapped(found, range);
    const source: Source = { ...found, mapping };
    const draft = target.openConversionTarget(
      source.options,
      makeable(target.options, source.options.creationOptions),
      new Set(),
    );
    const plan = planSwitch({ ...source, header: await readHeaderArea(source, draft) }, target, draft);
    const guest = await OpenedBacking.open(source.image, session.host.volume, settings);
    try {
      const takenOver = RangeSet.of({ start: range.hostOffset, end: range.hostOffset + range.length });
      const input = { session, settings, source, plan, guest, digestPlanned: null, takenOver };
      await carryOut(
        { ...input, watch: new Stopwatch(host.now), ending: "removed", settles: true },
        { purpose: "setmap" },
      );
    } finally {
      await guest.close();
    }
    return { image: path, ...range, notes: session.allNotes };
  } finally {
    await session.close();
  }
}

function remapped({ mapping, metadata, options, fileSize, image }: Source, range: MappedRange): ExtentTable {
  const { guestOffset, hostOffset, length } = range;
  const { clusterSize, virtualSize } = options;
  const refuse = (what: string): never => {
    throw new ImageError(
      "out-of-bounds",
      say`Cannot point guest offset ${hex(guestOffset)} at host offset ${placeAt(hostOffset)}`,
      { because: what, path: image.storage.path, format: image.format, guestOffset, hostOffset, operation: "map" },
    );
  };
  const guestEnd = guestOffset + length;
  const hostEnd = hostOffset + length;
  if (length <= 0 || guestEnd > virtualSize) refuse(`the disk ends at ${hex(virtualSize)}`);
  if (hostEnd > fileSize) refuse(`the file ends at ${hex(fileSize)}`);
  const endsDisk = guestEnd === virtualSize;
  if (![guestOffset, hostOffset, endsDisk ? 0 : length].every((value) => isAligned(value, clusterSize))) {
    refuse(`offsets and length must be multiples of the cluster size ${clusterSize}`);
  }
  if (metadata.intersects(hostOffset, hostEnd)) refuse("metadata lies there");
  const builder = new ExtentTableBuilder();
  const keep = (
    from: number,
    to: number,
    extent: { guestOffset: number; hostOffset: number; state: ExtentState; storedLength: number },
  ) => {
    if (to <= from) return;
    const isPlaced = extent.hostOffset >= 0 && extent.state !== ExtentState.compressed;
    builder.append(
      to - from,
      extent.state,
      isPlaced ? extent.hostOffset + from - extent.guestOffset : extent.hostOffset,
      extent.storedLength,
    );
  };
  for (const extent of eachExtent(mapping)) {
    const end = extent.guestOffset + extent.length;
    const stored = extent.state === ExtentState.compressed ? extent.storedLength : extent.length;
    const replaced = extent.guestOffset >= guestOffset && end <= guestEnd;
    const holds = isStored(extent.state);
    if (holds && !replaced && extent.hostOffset < hostEnd && extent.hostOffset + stored > hostOffset) {
      refuse(`guest offset ${hex(extent.guestOffset)} is stored there`);
    }
    keep(extent.guestOffset, Math.min(end, guestOffset), extent);
    if (extent.guestOffset <= guestOffset && end > guestOffset) builder.append(length, ExtentState.data, hostOffset);
    keep(Math.max(extent.guestOffset, guestEnd), end, extent);
  }
  return builder.finish(virtualSize);
}
