/** What is known of the guest on the way: the digest that the next image has to have. */

import { digestGuest } from "../../image/guest/digest.ts";
import type { OpenedBacking } from "../inspect/opened-backing.ts";
import type { Source } from "../inspect/source.ts";
import { progressOf, type Settings } from "../options/settings.ts";
import { verifyDigest } from "../proof/verify.ts";
import { changedView, type DiskWish } from "./disk-wish.ts";

interface GuestDigest {
  readonly hex: string;
  readonly virtualSize: number;
}

export class KnownGuest {
  readonly #path: string;
  readonly #settings: Settings;
  #digest: GuestDigest | undefined;
  /** Of the guest as its disk will be changed. */
  #changed: GuestDigest | undefined;

  constructor(path: string, settings: Settings) {
    this.#path = path;
    this.#settings = settings;
  }

  /** Undefined where none was taken. */
  get digest(): string | undefined {
    return this.#digest?.hex;
  }

  know(hex: string | null, virtualSize: number): void {
    if (hex !== null) this.#digest = { hex, virtualSize };
  }

  /** Computes what the guest will be once its disk is changed, from the source as it is now and what shall be written. */
  async foretellChange(
    { image }: Source,
    guest: OpenedBacking,
    { change }: DiskWish,
    purpose: Parameters<typeof changedView>[2],
  ): Promise<void> {
    const { checksum, verify, signal } = this.#settings;
    if (change === undefined || checksum === "none" || verify !== "full") return;
    const view = changedView(await guest.view(image), change, purpose);
    const hex = await digestGuest(view, checksum, { onProgress: progressOf(this.#settings, "checksum"), signal });
    this.#changed = { hex, virtualSize: view.virtualSize };
  }

  /** From here on the guest is another, as it was asked for. */
  change(): void {
    this.#digest = this.#changed;
  }

  /**
   * Of the guest as the target shall show it: the source's own, or of a disk that is grown. Null where none is compared.
   * `isFirst`: the source is what the digest was taken of.
   */
  async digestOf(
    { image }: Source,
    grown: { readonly mapping: Source["mapping"]; readonly virtualSize: number },
    guest: OpenedBacking,
    isFirst: boolean,
  ): Promise<string | null> {
    const { checksum } = this.#settings;
    if (checksum === "none" || this.#digest === undefined) return null;
    const { virtualSize } = grown;
    if (this.#digest.virtualSize !== virtualSize) {
      // What is taken of the image as it stands now stands for the first one's only if it shows the same.
      if (!isFirst)
        verifyDigest(image.format, this.#path, this.#digest.hex, await guest.digest(image, checksum, "checksum"));
      this.#digest = { hex: await guest.digestGrown(image, grown, checksum, "checksum"), virtualSize };
    }
    return this.#digest.hex;
  }

  /** Reads the guest where it lies now. Throws `verification-failed` where it is another; null where none is compared. */
  async verify({ image }: Pick<Source, "image">, guest: OpenedBacking): Promise<string | null> {
    const { checksum, verify } = this.#settings;
    if (checksum === "none" || verify !== "full" || this.#digest === undefined) return null;
    const found = await guest.digest(image, checksum, "verify");
    verifyDigest(image.format, this.#path, this.#digest.hex, found);
    return found;
  }
}
