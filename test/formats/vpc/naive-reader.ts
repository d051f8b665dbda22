/** Reads a small fixed VHD in memory the slow and obvious way, apart from all code under test; by its current size. */

export function readVpcNaively(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const footer = bytes.subarray(bytes.length - 512);
  if (footer.toString("latin1", 0, 8) !== "conectix" || footer.readUInt32BE(60) !== 2) throw new Error("no fixed VHD");
  let sum = 0;
  for (const [at, byte] of footer.entries()) if (at < 64 || at > 67) sum += byte;
  if (footer.readUInt32BE(64) + sum !== 0xffff_ffff) throw new Error("its sum is wrong");
  const size = Number(footer.readBigUInt64BE(48));
  if (size > bytes.length - 512) throw new Error(`${size} bytes end behind the footer`);
  return file.slice(0, size);
}
