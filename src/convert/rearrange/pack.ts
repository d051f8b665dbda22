/** The goal `pack`: every unit compressed, one behind another in the guest's order, and what else a stream of them has. */

import { basename } from "node:path";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { packFormOf } from "../options/target-options.ts";
import { encodeWindow } from "../switch/switch-planning.ts";
import { encode } from "./encode.ts";
import { openJournal, type Rearranged, type RearrangeStep } from "./rearrange-step.ts";

export async function packUnits(step: RearrangeStep): Promise<Rearranged> {
  const { session, settings, image, journey } = step;
  const { guestDigest } = step;
  const identity = journey.wishes.reproducible && guestDigest !== null ? { seed: guestDigest } : undefined;
  const form = packFormOf(journey, { fileName: basename(session.path), identity });
  const maxBatchBytes = encodeWindow(settings.maxExtraSpace);
  const packer = form && (await image.openPacker?.({ maxBatchBytes, signal: settings.signal, form }));
  if (packer === undefined) {
    const { path } = image.storage;
    throw new ImageError("unsupported", say`Cannot rearrange ${imageNamed(path)}`, {
      because: `no ${image.format} is laid out as ${journey.goalFormat} wants it`,
      path,
      format: image.format,
      operation: "plan",
    });
  }
  return { ...(await encode(session, packer, () => openJournal(step), settings)), isAll: true };
}
