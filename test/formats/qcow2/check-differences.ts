/** Where we mean to differ from qemu-img's check of a qcow2; the reasons are in docs/decisions/where-check-differs-from-qemu-img.md. */

import { type KnownDifference, theySay, weRefuse } from "../check-verdict.ts";

const clusterBitsAt = 20;
const snapshotCountAt = 60;

export const qcow2Differences: readonly KnownDifference[] = [
  {
    name: "encryption and its keys",
    mostInThousand: 10,
    isIt: (found) => theySay(found, /LUKS|CRYPTO|encrypt|cipher|password|keyslot|crypt method/),
  },
  {
    name: "the place of a snapshot table without snapshots",
    mostInThousand: 8,
    isIt: (found) => theySay(found, /snapshot table offset invalid/) && found.bytes.readUInt32BE(snapshotCountAt) === 0,
  },
  {
    name: "a header that the end of file cuts off",
    mostInThousand: 10,
    isIt: ({ bytes, ours, theirs }) =>
      (ours.numbers === undefined) !== (theirs.numbers === undefined) &&
      (bytes.length < 24 || bytes.length < Math.min(2 ** bytes.readUInt32BE(clusterBitsAt), 2 ** 21)),
  },
  {
    name: "a disk that does not end with a sector",
    mostInThousand: 8,
    isIt: (found) => weRefuse(found, /^Cannot use size .* is no multiple of 512/),
  },
  {
    name: "a refcount table on the header, or none",
    mostInThousand: 8,
    isIt: (found) => weRefuse(found, /the refcount table lies on the header|the image has no refcount table/),
  },
  {
    name: "a backing file's name inside the header",
    mostInThousand: 5,
    isIt: (found) => weRefuse(found, /^Cannot use backing_file_offset .* lies inside the header/),
  },
  {
    name: "a header whose length is no multiple of 8",
    mostInThousand: 5,
    isIt: (found) => weRefuse(found, /^Cannot use header_length .* is no multiple of 8/),
  },
  {
    name: "extensions that end less than 8 bytes before a backing file's name",
    mostInThousand: 2,
    isIt: (found) => theySay(found, /Header extension too large/),
  },
];
