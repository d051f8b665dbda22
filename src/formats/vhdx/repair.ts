/**
 * What mends a VHDX: its log is replayed (MS-VHDX, "Log Replay"), as QEMU does when it opens one for writing.
 *
 *   replay the log     until all of it is durable the headers still name the log: whatever is cut, it is replayed again
 *   give the log up    in the header that does not count, by a higher number: half written, its sum is wrong
 *   the other header   likewise, so that both say the same
 */

import { hex, ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { Finding } from "../../image/finding.ts";
import type { Repair, RepairStep } from "../../image/repair.ts";
import type { Write } from "../../image/write.ts";
import { crypto } from "../../storage/built-ins.ts";
import { checksumOf, HEADER_PLACES, HEADER_SIZE, VhdxHeaderFields } from "./header/fields.ts";
import type { VhdxHeader } from "./header/header.ts";
import type { Replay } from "./log/replay.ts";

/** Nothing to do where there is no log to replay. */
export function planVhdxRepair(path: string, header: VhdxHeader, replay: Replay | undefined): Repair {
  const nothing = { additiveWrites: () => [], steps: [], fileSize: header.fileSize, mended: [] };
  const rest = { leaksFixed: 0, losses: [], givenUp: [] };
  if (replay === undefined) return { ...nothing, ...rest, corruptionsFixed: 0 };
  const { below, added } = splitAt(replay.writes, header.fileSize);
  const [other] = HEADER_PLACES.filter((place) => place !== header.hostOffset) as [number];
  const steps: RepairStep[] = [
    { purpose: "replay the log", writes: below },
    { purpose: "give the log up", writes: [headerWithoutLog(path, header, other, 1n)] },
    { purpose: "give the log up in the other header", writes: [headerWithoutLog(path, header, header.hostOffset, 2n)] },
  ];
  const message = `The log at host offset ${hex(header.log.start)} was replayed, and given up`;
  const mended: Finding = { severity: "corruption", kind: "log-replayed", structure: "log", message };
  return {
    ...rest,
    additiveWrites: () => added,
    steps: steps.filter(({ writes }) => writes.length > 0),
    fileSize: replay.fileSize,
    mended: [{ ...mended, hostOffset: header.log.start }],
    corruptionsFixed: 1,
  };
}

/** What a repair overwrites, and what it adds past the old end. */
function splitAt(writes: readonly Write[], end: number) {
  const part = ({ hostOffset, bytes }: Write, from: number, to: number): Write[] => {
    const [start, stop] = [Math.max(hostOffset, from), Math.min(hostOffset + bytes.length, to)];
    return start < stop ? [{ hostOffset: start, bytes: bytes.subarray(start - hostOffset, stop - hostOffset) }] : [];
  };
  return {
    below: writes.flatMap((write) => part(write, 0, end)),
    added: writes.flatMap((write) => part(write, end, Number.POSITIVE_INFINITY)),
  };
}

function headerWithoutLog(path: string, { values }: VhdxHeader, hostOffset: number, turns: bigint): Write {
  const bytes = new Uint8Array(HEADER_SIZE);
  const { fields } = VhdxHeaderFields;
  VhdxHeaderFields.encode(
    { ...values, fileWriteGuid: nextGuid(values.fileWriteGuid), logGuid: new Uint8Array(16) },
    bytes,
  );
  const view = new DataView(bytes.buffer);
  const sequenceNumber = view.getBigUint64(fields.sequenceNumber.at, true) + turns;
  if (sequenceNumber >= 2n ** 64n) {
    throw new ImageError("unsupported", say`Cannot repair ${imageNamed(path)} in place`, {
      because: "no header can have a higher sequence number than its own",
      remedy: "copy it with qemu-img convert",
      format: "vhdx",
      path,
      hostOffset,
      operation: "repair",
    });
  }
  view.setBigUint64(fields.sequenceNumber.at, sequenceNumber, true);
  view.setUint32(fields.checksum.at, checksumOf(bytes), true);
  return { hostOffset, bytes };
}

/** Another one for a file that was written to; the same each time, as a repair that is planned again has to be. */
function nextGuid(guid: Uint8Array): Uint8Array {
  const next = new Uint8Array(crypto().createHash("sha256").update(guid).digest().subarray(0, 16));
  next[7] = ((next[7] as number) & 0x0f) | 0x40;
  next[8] = ((next[8] as number) & 0x3f) | 0x80;
  return next;
}
