/**
 * Where we mean to differ from qemu-img's check, each with what it is known by; the reasons are in
 * docs/decisions/where-check-differs-from-qemu-img.md.
 */

import type { CheckSample } from "../formats/qcow2/check-samples.ts";
import type { OurVerdict, Verdict } from "./check-judge.ts";

export interface Case {
  readonly sample: CheckSample;
  readonly bytes: Buffer;
  readonly theirs: Verdict;
  readonly ours: OurVerdict;
}

export interface KnownDifference {
  readonly name: string;
  /** Most of a thousand mutants that may differ so; more means that something else does. */
  readonly mostInThousand: number;
  isIt(found: Case): boolean;
}

/** Both can't be asked for: a refusal of theirs has words, one of ours an error. */
const theySay = ({ theirs }: Case, words: RegExp) =>
  theirs.numbers === undefined && words.test(theirs.lines.join("\n"));
const weRefuse = ({ theirs, ours }: Case, words: RegExp) =>
  theirs.numbers !== undefined && ours.refusal !== undefined && words.test(ours.refusal.message);

const snapshotCountAt = 60;
const clusterBitsAt = 20;

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    name: "what lies in another file",
    mostInThousand: 10,
    isIt: (found) => theySay(found, /data-file|backing file|No such file|Unknown driver|\.data'/),
  },
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
    isIt: ({ sample, bytes, ours, theirs }) =>
      sample.format === "qcow2" &&
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
    name: "places beyond 2^53",
    mostInThousand: 8,
    isIt: (found) => weRefuse(found, /is beyond 2\^53/),
  },
  {
    name: "a QED file whose last cluster lacks less than a sector",
    mostInThousand: 10,
    isIt: ({ sample, bytes }) => {
      const rest = sample.format === "qed" ? bytes.length % bytes.readUInt32LE(4) : 0;
      return rest > 0 && rest > bytes.readUInt32LE(4) - 512;
    },
  },
  {
    name: "a QED header of no clusters",
    mostInThousand: 5,
    isIt: (found) => weRefuse(found, /header size 0 is out of range/),
  },
  {
    name: "a QED table of one cluster",
    mostInThousand: 2,
    isIt: (found) => theySay(found, /QED table offset is invalid/),
  },
  {
    name: "extensions that end less than 8 bytes before a backing file's name",
    mostInThousand: 2,
    isIt: (found) => theySay(found, /Header extension too large/),
  },
];
