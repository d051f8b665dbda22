/** The rule of a write that stopped: how its sector can look, told from what was to be written and what was there. */

/**
 * Whether `found` is `sector` written over `before` as far as it got: its beginning, and behind it what was there. That
 * holds for all and for nothing of it too. A mere mixture is no proof: another program that clears a flag in the old
 * bytes can make one of them what it is in the new ones.
 */
export function isWrittenInPart(found: Uint8Array, sector: Uint8Array, before: Uint8Array): boolean {
  let written = 0;
  while (written < found.length && found[written] === sector[written]) written++;
  return Buffer.compare(found.subarray(written), before.subarray(written)) === 0;
}
