/** The digest of a download as it came over the wire: what was expected of it, and what it is. */

import { ImageError, UsageError } from "../../index.ts";

export type DigestAlgorithm = "sha256" | "sha512";

export interface Digest {
  readonly algorithm: DigestAlgorithm;
  /** Lower case. */
  readonly hex: string;
}

const HEX_DIGITS: Readonly<Record<number, DigestAlgorithm>> = { 64: "sha256", 128: "sha512" };

/** A digest by its hex digits alone: their count tells the algorithm. */
export function digestOfHex(hex: string): Digest | undefined {
  const algorithm = /^[0-9a-f]+$/i.test(hex) ? HEX_DIGITS[hex.length] : undefined;
  return algorithm && { algorithm, hex: hex.toLowerCase() };
}

/** @throws UsageError where the digits are no digest of that algorithm */
export function expectedDigest({ algorithm, hex }: Digest): Digest {
  const digest = digestOfHex(hex);
  if (digest?.algorithm !== algorithm) {
    throw new UsageError(`Cannot expect ${algorithm}:${hex}: it needs ${algorithm === "sha256" ? 64 : 128} hex digits`);
  }
  return digest;
}

/** @throws ImageError `verification-failed` */
export function verifyDigest(what: string, expected: Digest, found: Digest): void {
  if (expected.algorithm === found.algorithm && expected.hex === found.hex) return;
  throw new ImageError(
    "verification-failed",
    `Cannot trust ${what}: its ${found.algorithm} is ${found.hex}, expected ${expected.hex}; nothing of it was kept`,
    { operation: "download" },
  );
}
