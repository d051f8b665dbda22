/** The UUIDs that a new image gets: by chance, or the same each time where the guest is to decide. */

import { crypto } from "../storage/built-ins.ts";

/** Whence a target takes ids and times that nobody names; where there is none, from chance and the clock. */
export interface Identity {
  /** The guest's digest, hex. */
  readonly seed: string;
}

/** Where its version is: the first three parts are numbers, which formats have in either order. */
type VersionAt = 6 | 7;

/** Version 4, or, made by the seed and what tells one from another, version 8. */
export function freshId(
  format: string,
  what: string | number,
  identity: Identity | undefined,
  versionAt: VersionAt,
): Uint8Array {
  const isChance = identity === undefined;
  const hash = () => crypto().createHash("sha256").update(`${format} ${identity?.seed} ${what}`).digest();
  const id = new Uint8Array(isChance ? crypto().randomBytes(16) : hash().subarray(0, 16));
  id[versionAt] = ((id[versionAt] as number) & 0x0f) | (isChance ? 0x40 : 0x80);
  id[8] = ((id[8] as number) & 0x3f) | 0x80;
  return id;
}
