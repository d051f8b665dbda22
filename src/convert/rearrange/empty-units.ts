/** The goal `zeros`: units that hold zeros are given up where the image stands, tables of snapshots as they are. */

import { MiB } from "../../bytes/align.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { reopenImage } from "../../formats/registry.ts";
import { GuestReader } from "../../image/guest/reader.ts";
import { openGuestView } from "../../image/guest/view.ts";
import type { RearrangementJournal } from "../../journal/journal.ts";
import { areZeros } from "../../storage/zeros.ts";
import type { Session } from "../session/session.ts";
import { Epochs } from "./epochs.ts";
import { mendCounts } from "./mended-counts.ts";
import { failed, openJournal, type Rearranged, type RearrangeStep } from "./rearrange-step.ts";

/** Pointers first, each looked at once more; then the counts of what nobody points at any more. */
export async function emptyUnits(step: RearrangeStep): Promise<Rearranged> {
  const { session, settings, image, zeros = new RangeSet() } = step;
  const reader = new GuestReader(await openGuestView([image]));
  let journal: RearrangementJournal | undefined;
  let epochs: Epochs | undefined;
  try {
    for await (const { ranges, ...tidied } of image.emptyingSteps?.(zeros) ?? []) {
      journal ??= await openJournal(step);
      epochs ??= new Epochs(session, journal, settings);
      for (const { start, end } of ranges.each()) await refuseData(session, reader, start, end);
      await epochs.tidy(tidied);
    }
    const emptied = await reopenImage(session.storage, image.format);
    ({ journal } = await mendCounts({ ...step, image: emptied }, journal));
    return { bytesMoved: 0, bytesWritten: epochs?.bytesWritten ?? 0, journal, isAll: true };
  } catch (error) {
    throw await failed(session, journal, error);
  }
}

/** Nothing but zeros is given up, whoever wrote since they were found. */
async function refuseData({ path }: Session, reader: GuestReader, start: number, end: number): Promise<void> {
  for (let at = start; at < end; at += MiB) {
    const bytes = Buffer.allocUnsafe(Math.min(MiB, end - at));
    await reader.read(at, bytes);
    if (areZeros(bytes)) continue;
    throw new ImageError("changed-underneath", say`Cannot rearrange ${imageNamed(path)}`, {
      because: `guest offset ${hex(at)} held zeros and holds data now`,
      path,
      guestOffset: at,
      operation: "compare",
    });
  }
}
