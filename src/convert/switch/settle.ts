/**
 * Settling, performed: what the old format left in the file is given up, epoch by epoch.
 *
 *   copies, tables | verify through an overlay | pointers | ... | truncate
 *                  ^ the old places still hold what they held: what moved is read at both
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { reopenImage } from "../../formats/registry.ts";
import { firstMovedDifference } from "../../image/guest/moved-difference.ts";
import { type GuestView, openGuestView } from "../../image/guest/view.ts";
import type { Image } from "../../image/source.ts";
import { checkOf } from "../../image/source.ts";
import type { Epoch, Write } from "../../image/write.ts";
import type { Journal } from "../../journal/journal.ts";
import { OverlayStorage } from "../../storage/overlay.ts";
import { executeEpoch } from "../execute/execute.ts";
import { mendWrongBytes } from "../execute/written.ts";
import { digestRanges } from "../inspect/source.ts";
import { progressOf, type Settings } from "../options/settings.ts";
import type { Session } from "../session/session.ts";
import { stopIfAsked } from "../session/stop.ts";

/** What settling did; an epoch may write nothing and cut the file. */
export interface Settled {
  readonly bytesWritten: number;
  readonly epochCount: number;
}

type SettleSettings = Pick<Settings, "signal" | "onProgress" | "verify">;

/** The image as it stands between two epochs: what it shows, and every byte that says so. */
interface ImageState {
  readonly view: GuestView;
  readonly metadata: Awaited<ReturnType<Image["getMetadataRanges"]>>;
  readonly digest: string;
}

/**
 * The undo has been given up; each state in between is a whole image, so a cut only asks to plan anew.
 */
export async function settle(
  session: Session,
  image: Image,
  { journal, commitHostOffset }: { readonly journal: Journal; readonly commitHostOffset: number },
  settings: SettleSettings,
): Promise<Settled> {
  const settling = await image.planSettling?.();
  const epochs = settling?.epochs ?? [];
  if (epochs.length === 0) return { bytesWritten: 0, epochCount: 0 };
  const total = settling ? settling.bytesMoved + settling.bytesWritten : 0;
  const report = progressOf(settings, "settle");
  const what = say`Cannot settle ${imageNamed(session.path)}`;
  // Nobody wrote since the image was opened (`finish` has looked), so that its digest is of what the plan was made from.
  let state = await stateOf(image);
  let before = 0;
  for (const epoch of epochs) {
    stopIfAsked(settings.signal, session.path, "while settling");
    await refuseChangedMetadata(session, state);
    if (epoch.repoints)
      state = await verifyRepointed(session, image.format, state, [...(epoch.writes?.() ?? [])], settings);
    const sector = sectorOf(epoch, commitHostOffset);
    if (sector) await journal.append({ record: "new-header" }, sector);
    // Last, since reading what moved and the record's sync may have taken long.
    await session.refuseInterference();
    let done = 0;
    await executeEpoch(session.storage, epoch, {
      onBytes: (bytes) => {
        done = bytes;
        report(before + done, total);
      },
    });
    before += done;
    await mendWrongBytes(session.storage, epoch, what);
  }
  return { bytesWritten: before, epochCount: epochs.length };
}

async function stateOf(image: Image): Promise<ImageState> {
  const metadata = await image.getMetadataRanges();
  return { view: await openGuestView([image]), metadata, digest: await digestRanges(image.storage, metadata) };
}

/** Whoever allocates in an image that we settle changes its tables, which the next header would leave behind. */
async function refuseChangedMetadata(session: Session, { metadata, digest }: ImageState): Promise<void> {
  if ((await digestRanges(session.storage, metadata)) === digest) return;
  throw new ImageError("changed-underneath", say`Cannot settle ${imageNamed(session.path)}`, {
    because: "its tables changed while we worked on it",
    path: session.path,
    operation: "settle",
  });
}

/** The image as `writes` will leave it; throws `verification-failed` where it would show another guest. */
async function verifyRepointed(
  session: Session,
  format: string,
  { view }: ImageState,
  writes: readonly Write[],
  { verify, signal }: SettleSettings,
): Promise<ImageState> {
  const failed = (what: string, guestOffset?: number) =>
    new ImageError("verification-failed", say`Cannot settle ${imageNamed(session.path)}`, {
      because: what,
      path: session.path,
      format,
      guestOffset,
      operation: "verify",
    });
  const image = await reopenImage(new OverlayStorage(session.storage, writes), format);
  const next = await stateOf(image);
  const difference = await firstMovedDifference(view, next.view, { readsMoved: verify === "full", signal });
  if (difference !== null) {
    throw failed(`guest offset ${hex(difference)} differs between its old place and its new one`, difference);
  }
  // Entries past the disk's end are in no mapping.
  const { corruptions, checkErrors, findings } = await checkOf(image);
  if (corruptions + checkErrors > 0) throw failed(`its new tables are wrong: ${findings[0]?.message}`);
  return next;
}

/** The sector at `commitHostOffset` that an epoch writes, if that is what it does. */
function sectorOf(epoch: Epoch, commitHostOffset: number): Uint8Array | undefined {
  for (const { hostOffset, bytes } of epoch.writes?.() ?? []) {
    return hostOffset === commitHostOffset ? bytes.subarray(0, SECTOR_SIZE) : undefined;
  }
  return undefined;
}
