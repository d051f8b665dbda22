/** The write that takes back what we can't keep true: autoclear bits (docs/interop/qcow2.txt, "autoclear_features"). */

import { type Flags64, setBits } from "../../../bytes/struct.ts";
import type { Write } from "../../../image/write.ts";
import { AutoclearBit, Qcow2HeaderV3 } from "./header.ts";

const KNOWN: readonly number[] = Object.values(AutoclearBit);

/** The header's autoclear bits without those that we don't know and without `others`; undefined where that changes nothing. */
export function autoclearWrite(autoclear: Flags64, others: readonly number[] = []): Write | undefined {
  let { high, low } = autoclear;
  for (const bit of setBits(autoclear)) {
    if (KNOWN.includes(bit) && !others.includes(bit)) continue;
    if (bit < 32) low &= ~(1 << bit);
    else high &= ~(1 << (bit - 32));
  }
  if (high >>> 0 === autoclear.high && low >>> 0 === autoclear.low) return undefined;
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, high);
  view.setUint32(4, low);
  return { hostOffset: Qcow2HeaderV3.fields.autoclearFeatures.at, bytes };
}
