/** The guest of an image as a conversion sees it: this layer, or with consent the whole chain. */

import { ImageError } from "../../bytes/image-error.ts";
import type { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { ExtentTable } from "../../image/extent.ts";
import { digestGuest } from "../../image/guest/digest.ts";
import { findZeroUnits } from "../../image/guest/find-zeros.ts";
import { composeGuestView, type GuestLayer, type GuestView, openGuestView } from "../../image/guest/view.ts";
import type { ZeroUnits } from "../../image/guest/zero-units.ts";
import type { Image } from "../../image/source.ts";
import type { Volume } from "../../storage/storage.ts";
import type { ChecksumAlgorithm, Stage } from "../options/options.ts";
import { progressOf, type Settings } from "../options/settings.ts";
import { openBackingChain } from "./backing-chain.ts";

/** The image's backing files, opened once and looked through by source and target alike. */
export class OpenedBacking {
  readonly covers: "guest" | "layer";
  readonly #chain: readonly Image[];
  readonly #settings: Settings;

  private constructor(covers: "guest" | "layer", chain: readonly Image[], settings: Settings) {
    this.covers = covers;
    this.#chain = chain;
    this.#settings = settings;
  }

  static async open(image: Image, volume: Volume, settings: Settings): Promise<OpenedBacking> {
    const hasBacking = image.getConversionOptions().backing !== undefined;
    if (!hasBacking) return new OpenedBacking("guest", [], settings);
    if (!settings.backingChain) return new OpenedBacking("layer", [], settings);
    const [, ...backing] = await openBackingChain(volume, image);
    return new OpenedBacking("guest", backing, settings);
  }

  /** What `image`, on top of the chain, shows. */
  view(image: Image): Promise<GuestView> {
    return openGuestView([image, ...this.#chain]);
  }

  /** Throws `interrupted` when asked to stop. */
  async digest(image: Image, algorithm: ChecksumAlgorithm, stage: Stage, zeroUnits?: ZeroUnits): Promise<string> {
    return digestGuest(await this.view(image), algorithm, {
      zeroUnits,
      onProgress: progressOf(this.#settings, stage),
      signal: this.#settings.signal,
    });
  }

  /** What is stored and reads as zeros, where no digest is taken. */
  async zeroUnits(image: Image, unitSize: number): Promise<RangeSet> {
    return findZeroUnits(await this.view(image), unitSize, {
      onProgress: progressOf(this.#settings, "checksum"),
      signal: this.#settings.signal,
    });
  }

  /** The same of a disk that is grown to `virtualSize`, whose mapping is given. */
  async digestGrown(
    image: Image,
    { mapping, virtualSize }: { readonly mapping: ExtentTable; readonly virtualSize: number },
    algorithm: ChecksumAlgorithm,
    stage: Stage,
  ): Promise<string> {
    const [top, ...below] = (await this.view(image)).layers as readonly [GuestLayer, ...GuestLayer[]];
    return digestGuest(composeGuestView([{ ...top, extents: mapping, virtualSize }, ...below]), algorithm, {
      onProgress: progressOf(this.#settings, stage),
      signal: this.#settings.signal,
    });
  }

  async close(): Promise<void> {
    for (const image of this.#chain) await image.storage.close();
  }
}

/**
 * Throws `verification-failed` where the guest is not what the caller expects; reads nothing where nothing is expected.
 * `known` is its digest by `settings.checksum`, where that was taken.
 */
export async function refuseOtherGuest(
  path: string,
  image: Image,
  guest: OpenedBacking,
  { checksum, guestChecksum }: Settings,
  known: string | null,
): Promise<void> {
  if (guestChecksum === undefined) return;
  const { algorithm, hex } = guestChecksum;
  const found = (algorithm === checksum ? known : null) ?? (await guest.digest(image, algorithm, "checksum"));
  const expected = hex.toLowerCase();
  if (expected === found) return;
  const reason = `its guest's checksum is ${found}, expected ${expected}`;
  throw new ImageError("verification-failed", say`Cannot convert ${imageNamed(path)}`, {
    because: reason,
    state: "nothing was written",
    path,
    operation: "checksum",
    reasons: [reason],
  });
}
