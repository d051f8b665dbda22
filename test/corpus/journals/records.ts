/** Reads the records of a version 1 journal by nothing of `src/`: what is kept must not change its meaning with the reader. */

export interface StoredRecord {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly blob: Buffer;
}

const MAGIC = "INPLJRN1";
const HEADER = 40;
const SECTOR = 512;

/** Facts and blob lie behind a header of 40 bytes; each record fills whole sectors. */
export function recordsIn(journal: Uint8Array): StoredRecord[] {
  const bytes = Buffer.from(journal);
  const records: StoredRecord[] = [];
  let at = 0;
  while (bytes.toString("latin1", at, at + MAGIC.length) === MAGIC) {
    const factsEnd = at + HEADER + bytes.readUInt32LE(at + 28);
    const blobEnd = factsEnd + bytes.readUInt32LE(at + 32);
    const facts = JSON.parse(bytes.toString("utf8", at + HEADER, factsEnd));
    records.push({ facts, blob: bytes.subarray(factsEnd, blobEnd) });
    at += Math.ceil((blobEnd - at) / SECTOR) * SECTOR;
  }
  return records;
}
