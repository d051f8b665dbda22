/** All that a qcow2 shows, by the active tables and by each snapshot's, in digests that don't ask where anything lies. */

import { createHash } from "node:crypto";
import { Qcow2Image } from "../../src/formats/qcow2/image.ts";
import { ExtentState, eachExtent } from "../../src/image/extent.ts";
import { memoryStorage } from "../../src/storage/memory.ts";

/** Data as bytes, streams as they are stored, zeros and nothing told apart; throws where a mapping can't be followed. */
export async function viewsOf(file: Uint8Array): Promise<string[]> {
  const views = [await viewOf(file)];
  const header = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  let entry = Number(header.readBigUInt64BE(64));
  for (let turn = 0; turn < header.readUInt32BE(60); turn++) {
    const asActive = Buffer.from(header);
    header.copy(asActive, 40, entry, entry + 8);
    header.copy(asActive, 36, entry + 8, entry + 12);
    views.push(await viewOf(asActive));
    const lengths = header.readUInt16BE(entry + 12) + header.readUInt16BE(entry + 14) + header.readUInt32BE(entry + 36);
    entry += Math.ceil((40 + lengths) / 8) * 8;
  }
  return views;
}

async function viewOf(file: Uint8Array): Promise<string> {
  const image = await Qcow2Image.open(memoryStorage(file));
  const guest = Buffer.alloc(image.virtualSize);
  const states = Buffer.alloc(Math.ceil(image.virtualSize / 512));
  for (const { guestOffset, hostOffset, length, state, storedLength } of eachExtent(await image.getMapping())) {
    const [start, end] = [guestOffset, guestOffset + length];
    states.fill(state, Math.floor(start / 512), Math.ceil(end / 512));
    if (state === ExtentState.data) guest.set(file.subarray(hostOffset, hostOffset + length), start);
    if (state !== ExtentState.compressed) continue;
    // What lies past the end of the file reads as zeros.
    const stored = Buffer.alloc(storedLength);
    stored.set(file.subarray(hostOffset, hostOffset + storedLength));
    guest.fill(createHash("sha256").update(stored).digest(), start, end);
  }
  return createHash("sha256").update(guest).update(states).digest("hex");
}
