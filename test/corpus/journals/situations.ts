/** What was done to which image, and where it was cut off, to make the journals that are kept beside this page. */

import { buildQedImage, setEntry } from "../../formats/qed/builder.ts";
import type { TracedCall } from "../../support/traced-command.ts";
import { buildQcow2Image, type Qcow2ImageDescription, type Qcow2Places } from "../../formats/qcow2/builder.ts";

/** Of the calls of the undisturbed command, the one before which it is killed. */
export type Cut = (calls: readonly TracedCall[]) => TracedCall | undefined;

export interface Step {
  /** Words of the command, `IMAGE` for the image. */
  readonly words: readonly string[];
  /** Runs to its end where absent. */
  readonly cut?: Cut;
  /** What somebody writes to the image behind it. */
  readonly written?: { readonly hostOffset: number; readonly bytes: Uint8Array };
}

export interface Situation {
  readonly name: string;
  /** The build that made it, by what it does not write yet. */
  readonly by: "released" | "older";
  readonly source: Uint8Array;
  readonly steps: readonly Step[];
}

const CLUSTER = 4096;
const ELSEWHERE = ["--journal", "elsewhere/disk.journal"];

const ofJournal = ({ path }: TracedCall) => /\.inplace-(?:journal|undo|draft)$|\/disk\.journal$/.test(path);
const ofImage = ({ path }: TracedCall) => path.endsWith("/disk.img");
const isWrite = ({ name }: TracedCall) => name === "pwrite64";
/** Where the nth record (from 0) is written; a journal that lies elsewhere has its pointer besides. */
function journalWrite(calls: readonly TracedCall[], nth: number): number {
  const isElsewhere = calls.some(({ path }) => path.endsWith("/disk.journal"));
  const at = calls.flatMap((call, at) =>
    isWrite(call) && ofJournal(call) && call.path.endsWith("/disk.journal") === isElsewhere ? [at] : [],
  );
  return at[nth] ?? calls.length;
}
/** The nth change of the image behind the nth record (both from 0). */
const behindRecord =
  (record: number, nth = 0): Cut =>
  (calls) =>
    calls.slice(journalWrite(calls, record)).filter((call) => isWrite(call) && ofImage(call))[nth];

/** The records of a conversion: 0 intent, 1 prepared, 2 verified, 3 the new header. */
const intended: Cut = (calls) => calls[journalWrite(calls, 1)];
const prepared: Cut = behindRecord(1);
const committed: Cut = (calls) => calls[journalWrite(calls, 2)];
const undoGivenUp: Cut = behindRecord(2);
const halfSettled: Cut = behindRecord(2, 2);
const newHeader: Cut = behindRecord(3);
const newHeaderWritten: Cut = (calls) => calls.findLast((call) => call.name === "ftruncate" && ofImage(call));
/** Behind the last record and its sync. */
const removal: Cut = (calls) => calls.slice(calls.findLastIndex(ofJournal)).find(({ name }) => name === "unlink");

const QED = {
  clusterSize: CLUSTER,
  tableSize: 2,
  virtualSize: 40 * CLUSTER,
  data: [0, 1, 5, 9, 17, 39],
  zero: [3, 20],
};
const qed = buildQedImage({ ...QED, seed: 7, shuffleTables: true });
const qedOverLongName = buildQedImage({
  ...QED,
  backingName: `${"long-folder-name/".repeat(26)}base.img`.slice(-440),
  staleHeaderByte: 0xcc,
}).bytes;
const withLeak = buildQedImage({ ...QED, leaks: 1 }).bytes;
const brokenQed = damagedQed();
const qcow2 = qcow2Image({});
const withSnapshot = qcow2Image({ snapshot: true });
const endsInsideCluster = qcow2.subarray(0, qcow2.length - 3000);
const ofOneSector = buildQcow2Image({ clusterBits: 9 });
/** Damaged images have clusters of one sector, for their journals hold whole ones. */
const damaged = { clusterBits: 9 };
const wrongCounts = qcow2Image({ ...damaged, incompatible: 3n }, (bytes, at) => {
  refcount(bytes, at, at.data, 3);
  refcount(bytes, at, at.l1, 9);
  bytes.writeUInt8(bytes.readUInt8(at.l1) & 0x7f, at.l1);
  bytes.writeUInt8(bytes.readUInt8(at.l2 + 8) & 0x7f, at.l2 + 8);
});
const noRefcounts = qcow2Image({ ...damaged, incompatible: 1n }, (bytes, at) =>
  bytes.writeBigUInt64BE(0n, at.refcountTable),
);
const unknownAutoclear = qcow2Image(damaged, (bytes, at) => {
  bytes.writeBigUInt64BE(1n << 5n, 88);
  refcount(bytes, at, at.l2, 7);
});

const toQcow2 = ["convert", "IMAGE", "qcow2"];
const toQed = ["convert", "IMAGE", "qed"];
const repair = ["check", "-r", "all", "IMAGE"];
const keepUndo = "--keep-undo";
/** Guest cluster 2, which is a hole, is to show the leaked cluster at the end. */
const setmap = ["setmap", "IMAGE", `${2 * CLUSTER}`, `${withLeak.length - CLUSTER}`, `${CLUSTER}`, "--yes"];

export const situations: readonly Situation[] = [
  made("qed-to-qcow2-intended", qed.bytes, { words: toQcow2, cut: intended }),
  made("qed-to-qcow2-prepared", qed.bytes, { words: [...toQcow2, "-o", "refcount_bits=8"], cut: prepared }),
  made("qed-to-qcow2-committed", qed.bytes, { words: [...toQcow2, "--checksum", "sha256"], cut: committed }),
  made("qed-to-qcow2-undo-kept", qed.bytes, { words: [...toQcow2, keepUndo] }),
  made("qed-to-qcow2-larger-clusters-prepared", qed.bytes, {
    words: [...toQcow2, "-o", "cluster_size=16k"],
    cut: prepared,
  }),
  made("qed-to-qcow2-name-moved-committed", qedOverLongName, {
    words: [...toQcow2, "--verify", "mapping"],
    cut: committed,
  }),
  made("qcow2-to-qed-intended", qcow2, { words: toQed, cut: intended }),
  made("qcow2-to-qed-prepared", qcow2, { words: [...toQed, "--no-check"], cut: prepared }),
  made("qcow2-to-qed-committed", qcow2, { words: [...toQed, "--checksum", "none"], cut: committed }),
  made("qcow2-to-qed-leaks-kept-committed", qcow2, { words: [...toQed, "--keep-leaks"], cut: committed }),
  made("qcow2-to-qed-undo-given-up", qcow2, { words: toQed, cut: undoGivenUp }),
  made("qcow2-to-qed-half-settled", qcow2, { words: toQed, cut: halfSettled }),
  made("qcow2-to-qed-new-header", qcow2, { words: toQed, cut: newHeader }),
  made("qcow2-to-qed-new-header-written", qcow2, { words: toQed, cut: newHeaderWritten }),
  made("qcow2-to-qed-undo-kept", qcow2, { words: [...toQed, keepUndo] }),
  made("qcow2-to-qed-short-file-undo-kept", endsInsideCluster, { words: [...toQed, keepUndo] }),
  made("qcow2-to-qed-snapshot-dropped-undo-kept", withSnapshot, { words: [...toQed, "--drop", "snapshots", keepUndo] }),
  made(
    "qcow2-to-qed-rolled-back",
    qcow2,
    { words: toQed, cut: committed },
    { words: ["rollback", "IMAGE"], cut: removal },
  ),
  made(
    "qcow2-to-qed-way-back-prepared",
    qcow2,
    { words: toQed, cut: undoGivenUp },
    { words: ["rollback", "IMAGE"], cut: wayBackPrepared },
  ),
  made(
    "qcow2-to-qcow2-found-header",
    ofOneSector.bytes,
    {
      words: [...toQcow2, "-o", "refcount_bits=8"],
      cut: committed,
      written: { hostOffset: ofOneSector.at.data + 100, bytes: new TextEncoder().encode("a guest wrote here") },
    },
    { words: ["resume", "IMAGE"], cut: committedInResume },
  ),
  made("repair-qcow2-prepared", wrongCounts, { words: repair, cut: prepared }),
  made("repair-qcow2-between-steps", wrongCounts, { words: repair, cut: behindRecord(1, 2) }),
  made("repair-qcow2-undo-kept", wrongCounts, { words: [...repair, keepUndo] }),
  made("repair-qcow2-undo-given-up", wrongCounts, { words: repair, cut: removal }),
  made("repair-qcow2-rebuilt-between-steps", noRefcounts, { words: repair, cut: behindRecord(1, 1) }),
  made("repair-qcow2-autoclear-undo-kept", unknownAutoclear, { words: ["check", "-r", "leaks", "IMAGE", keepUndo] }),
  made("repair-qed-between-steps", brokenQed, { words: repair, cut: behindRecord(1, 1) }),
  made("repair-qed-undo-kept", brokenQed, { words: [...repair, "--allow-data-loss", keepUndo] }),
  made("setmap-qed-prepared", withLeak, { words: setmap, cut: prepared }),
  made("setmap-qed-committed", withLeak, { words: setmap, cut: committed }),
  made("elsewhere-qed-to-qcow2-committed", qed.bytes, { words: [...toQcow2, ...ELSEWHERE], cut: committed }),
  made("elsewhere-qcow2-to-qed-new-header", qcow2, { words: [...toQed, ...ELSEWHERE], cut: newHeader }),
  made("elsewhere-repair-qcow2-between-steps", wrongCounts, {
    words: [...repair, ...ELSEWHERE],
    cut: behindRecord(1, 2),
  }),
  older("older-qed-to-qcow2-prepared", qed.bytes, { words: toQcow2, cut: prepared }),
  older("older-qed-to-qcow2-undo-kept", qed.bytes, { words: [...toQcow2, keepUndo] }),
  older("older-qcow2-to-qed-short-file-undo-kept", endsInsideCluster, { words: [...toQed, keepUndo] }),
  older("older-qcow2-to-qed-snapshot-dropped-undo-kept", withSnapshot, {
    words: [...toQed, "--drop", "snapshots", keepUndo],
  }),
  older("older-qcow2-to-qed-new-header", qcow2, { words: toQed, cut: newHeader }),
  older("older-repair-qcow2-rebuilt-between-steps", noRefcounts, { words: repair, cut: behindRecord(1, 1) }),
  older("older-repair-qcow2-autoclear-undo-kept", unknownAutoclear, {
    words: ["check", "-r", "leaks", "IMAGE", keepUndo],
  }),
];

function made(name: string, source: Uint8Array, ...steps: readonly Step[]): Situation {
  return { name, by: "released", source, steps };
}

function older(name: string, source: Uint8Array, ...steps: readonly Step[]): Situation {
  return { name, by: "older", source, steps };
}

/** The way back is a conversion whose records replace the first one's: the last write of sector 0 is its commit. */
function wayBackPrepared(calls: readonly TracedCall[]): TracedCall | undefined {
  return calls.findLast((call) => isWrite(call) && ofImage(call) && call.hostOffset === 0);
}

/** A recovery writes the records anew, then tells how it found the header, then writes that. */
function committedInResume(calls: readonly TracedCall[]): TracedCall | undefined {
  return calls.find((call) => isWrite(call) && ofImage(call));
}

function qcow2Image(
  description: Qcow2ImageDescription,
  damage: (bytes: Buffer, at: Qcow2Places) => void = () => {},
): Uint8Array {
  const { bytes, at } = buildQcow2Image({ clusterBits: 12, ...description });
  damage(bytes, at);
  return bytes;
}

function refcount(bytes: Buffer, at: Qcow2Places, place: number, value: number): void {
  bytes.writeUInt16BE(value, at.refcountBlock + (place / at.clusterSize) * 2);
}

/** NEED_CHECK, and an entry that points past the end. */
function damagedQed(): Uint8Array {
  const { bytes, l2Offsets } = buildQedImage({ ...QED, features: 2n });
  setEntry(new DataView(bytes.buffer), l2Offsets.get(0) as number, 7, 0x1000_0000);
  return bytes;
}
