/** Reads a small Parallels image in memory the slow and obvious way, apart from all code under test. */

export function readParallelsNaively(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const magic = bytes.toString("latin1", 0, 16);
  if (!/^(WithoutFreeSpace|WithouFreSpacExt)$/.test(magic) || bytes.readUInt32LE(16) !== 2)
    throw new Error("no Parallels");
  const trackSize = bytes.readUInt32LE(28) * 512;
  const virtualSize = (magic.endsWith("Ext") ? Number(bytes.readBigUInt64LE(36)) : bytes.readUInt32LE(36)) * 512;
  const guest = new Uint8Array(virtualSize);
  for (let track = 0; track * trackSize < virtualSize; track++) {
    const entry = bytes.readUInt32LE(64 + track * 4);
    if (entry === 0) continue;
    const from = entry * (magic.endsWith("Ext") ? trackSize : 512);
    const length = Math.min(trackSize, virtualSize - track * trackSize);
    if (from + length > bytes.length) throw new Error(`${from} is no track`);
    guest.set(bytes.subarray(from, from + length), track * trackSize);
  }
  return guest;
}
