/**
 * Plain units stored compressed, performed batch by batch:
 *
 *   streams, counts | inflated and compared with the plain units | pointers | streams, counts ...
 *                   ^ sync                                       ^ sync: the plain units' places are free
 *
 * Each state is a whole image with the same guest. The journal is made at the first batch: what can't get shorter is left
 * without a write.
 */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, placeAt, say } from "../../bytes/sentence.ts";
import type { EncodedBatch, EncodedUnit, Encoder } from "../../image/encoder.ts";
import { DeflateTurns, inflateStream } from "../../image/guest/deflate.ts";
import type { Image } from "../../image/source.ts";
import type { RearrangementJournal } from "../../journal/journal.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import { progressOf, type Settings } from "../options/settings.ts";
import type { Session } from "../session/session.ts";
import { encodeWindow } from "../switch/switch-planning.ts";
import { Epochs } from "./epochs.ts";
import { failed, openJournal, type Rearranged, type RearrangeStep } from "./rearrange-step.ts";

export interface Encoded {
  /** Plain bytes that are stored compressed now. */
  readonly bytesMoved: number;
  readonly bytesWritten: number;
  readonly peakExtraBytes: number;
  /** Undefined where nothing got shorter. */
  readonly journal: RearrangementJournal | undefined;
}

/** Throws ImageError where nothing of the image can be stored compressed. */
export async function openEncoder(
  image: Image,
  { signal, maxExtraSpace }: Pick<Settings, "signal" | "maxExtraSpace">,
): Promise<Encoder> {
  const encoder = await image.openEncoder?.({ maxBatchBytes: encodeWindow(maxExtraSpace), signal });
  if (encoder !== undefined) return encoder;
  const { path } = image.storage;
  throw new ImageError("unsupported", say`Cannot compress ${imageNamed(path)}`, {
    because: `${image.format} stores nothing compressed`,
    path,
    format: image.format,
    operation: "plan",
  });
}

/** The goal `encode`. */
export async function encodeUnits(step: RearrangeStep): Promise<Rearranged> {
  const { session, settings, image } = step;
  const encoder = await openEncoder(image, settings);
  return { ...(await encode(session, encoder, () => openJournal(step), settings)), isAll: true };
}

type EncodeSettings = Pick<Settings, "signal" | "onProgress" | "verify">;

export async function encode(
  session: Session,
  encoder: Encoder,
  openJournal: () => Promise<RearrangementJournal>,
  settings: EncodeSettings,
): Promise<Encoded> {
  const report = progressOf(settings, "settle");
  let journal: RearrangementJournal | undefined;
  let epochs: Epochs | undefined;
  let bytesMoved = 0;
  try {
    for await (const step of encoder.steps()) {
      journal ??= await openJournal();
      epochs ??= new Epochs(session, journal, settings);
      if ("beforehand" in step) {
        await epochs.tidy(step.beforehand);
        continue;
      }
      const { batch } = step;
      await performBatch(session, encoder, epochs, batch, settings);
      for (const { isNew, fromLength } of batch.units) if (isNew) bytesMoved += fromLength;
      report(batch.bytesLookedAt, encoder.plainBytes);
    }
  } catch (error) {
    throw await failed(session, journal, error);
  }
  const peakExtraBytes = journal === undefined ? 0 : encoder.spareBytes;
  return { bytesMoved, bytesWritten: epochs?.bytesWritten ?? 0, peakExtraBytes, journal };
}

async function performBatch(
  session: Session,
  encoder: Encoder,
  epochs: Epochs,
  { units, writes, left, fileSize, repoint }: EncodedBatch,
  { verify }: EncodeSettings,
): Promise<void> {
  await epochs.perform({
    purpose: units.length > 0 ? "store units compressed" : "give the old places up",
    writes: () => writes,
    // Zeros that had to be written would give nothing back.
    ...(left && session.storage.punch && { zeros: left }),
    fileSize,
  });
  if (units.length === 0) return;
  epochs.look();
  if (verify === "full") {
    const turns = new DeflateTurns();
    const looks = units.map((unit) => turns.take(() => refuseOtherBytes(session, encoder, unit)));
    // None is left behind, under way, when another fails.
    for (const look of await Promise.allSettled(looks)) if (look.status === "rejected") throw look.reason;
  }
  await epochs.repoint("point at the compressed units", await repoint());
}

/** As it lies there, each stream gives what it was made of. */
async function refuseOtherBytes({ storage, path }: Session, encoder: Encoder, unit: EncodedUnit): Promise<void> {
  const { from, fromLength, to, length, isNew, isRewrapped, isInflated } = unit;
  const old = await readZeroFilled(storage, from, fromLength);
  const stored = await readZeroFilled(storage, to, length);
  let because: unknown;
  try {
    const inflated = (stream: Uint8Array) => inflateStream(encoder.method, stream, encoder.unitSize);
    const found = isNew || isRewrapped ? await inflated(stored) : stored;
    if (Buffer.compare(found, isRewrapped || isInflated ? await inflated(old) : old) === 0) return;
  } catch (cause) {
    because = cause;
  }
  throw new ImageError("verification-failed", say`Cannot rearrange ${imageNamed(path)}`, {
    because: say`the compressed unit at host offset ${placeAt(to)} differs from what it was made of`,
    path,
    hostOffset: to,
    operation: "verify",
    cause: because,
  });
}
