/** Conversions of several steps that were cut: what was asked for is remembered, and what a guest wrote since is not given up. */

import { describe, expect, it } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { convert, plan } from "../../../src/convert/convert.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { guestBytesOf } from "../../formats/guest-contents.ts";
import { buildWithGuest } from "../../formats/qcow2/any-image.ts";
import { buildVpc } from "../../formats/vpc/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { type DiskState, eachCut } from "../../support/power-cut.ts";
import { seededRandom } from "../../support/random.ts";
import { type Operation, RecordingVolume } from "../../support/recording-volume.ts";

const CLUSTER = 4096;
const GUEST = { virtualSize: 40 * CLUSTER, data: [0, 1, 5, 9, 17, 39] };
const QCOW2 = { cluster_size: "4k" };
const { journal } = journalNamesOf(IMAGE_PATH);

type Run = (volume: RecordingVolume) => Promise<unknown>;

/** Right behind the first, or the last, operation that is meant, all of it durable. */
async function cutBehind(
  image: Uint8Array,
  run: Run,
  isMeant: (operation: Operation) => boolean,
  which: "first" | "last" = "first",
): Promise<DiskState> {
  const volume = new RecordingVolume({ [IMAGE_PATH]: image });
  await run(volume);
  const at = which === "first" ? volume.operations.findIndex(isMeant) : volume.operations.findLastIndex(isMeant);
  if (at < 0) throw new Error("there was no such operation");
  for (const { count, cut } of eachCut(volume.log)) {
    if (count !== at + 1) continue;
    const { [journalNamesOf(IMAGE_PATH).lock]: _lock, ...state } = cut.sample("all-new", seededRandom(1));
    return state;
  }
  throw new Error("unreachable");
}

const isCommit = (operation: Operation) =>
  operation.kind === "write" && operation.path === IMAGE_PATH && operation.hostOffset === 0;
/** New tables are on their way behind the disk, and nothing of it has changed. */
const isAdded = (operation: Operation) =>
  operation.kind === "write" && operation.path === IMAGE_PATH && operation.hostOffset > GUEST.virtualSize;
const isSynced = (operation: Operation) => operation.kind === "sync" && operation.path === IMAGE_PATH;

function withWrite(state: DiskState, hostOffset: number, byte: number): DiskState {
  const image = (state[IMAGE_PATH] as Uint8Array).slice();
  image.fill(byte, hostOffset, hostOffset + 512);
  return { ...state, [IMAGE_PATH]: image as Uint8Array<ArrayBuffer> };
}

describe("a conversion of several steps, cut", () => {
  const toRaw: Run = (volume) => convert(IMAGE_PATH, "raw", {}, testHost(volume));
  const shuffled = buildWithGuest({
    ...GUEST,
    clusterBits: 12,
    arrange: (places) => [...places].reverse(),
  }).bytes;

  it("keeps what a guest wrote to a raw where its qcow2 had nothing: no way back, and the way on goes on", async () => {
    const state = withWrite(await cutBehind(shuffled, toRaw, isCommit, "last"), 3 * CLUSTER, 0x77);
    const back = new MemoryVolume(state);
    await expect(rollback(IMAGE_PATH, {}, testHost(back))).rejects.toThrow("its guest wrote where nothing was");
    expect(back.snapshot(IMAGE_PATH)).toEqual(state[IMAGE_PATH]);
    await resume(IMAGE_PATH, {}, testHost(back));
    const guest = guestBytesOf(GUEST);
    guest.fill(0x77, 3 * CLUSTER, 3 * CLUSTER + 512);
    expect(Buffer.compare(back.snapshot(IMAGE_PATH), guest)).toBe(0);
  });

  it("keeps what a guest wrote to the part that a disk gained", async () => {
    const grown: Run = (volume) =>
      convert(IMAGE_PATH, "vpc", { format: "raw", options: { subformat: "fixed" } }, testHost(volume));
    const isFooter = (operation: Operation) =>
      operation.kind === "write" && operation.path === IMAGE_PATH && operation.hostOffset === 1024 * 1024;
    const state = withWrite(await cutBehind(guestBytesOf(GUEST), grown, isFooter), 50 * CLUSTER, 0x66);
    await expect(rollback(IMAGE_PATH, {}, testHost(new MemoryVolume(state)))).rejects.toThrow("wrote where nothing");
  });

  it("does not cut a raw whose user has grown into what is longer for a while", async () => {
    const toQcow2: Run = (volume) => convert(IMAGE_PATH, "qcow2", { format: "raw", options: QCOW2 }, testHost(volume));
    const cut = await cutBehind(guestBytesOf(GUEST), toQcow2, isAdded);
    const state = withWrite(withWrite(cut, 1024, 0x55), 45 * CLUSTER, 0x55);
    await expect(rollback(IMAGE_PATH, {}, testHost(new MemoryVolume(state)))).rejects.toThrow("used as long as it was");
    await rollback(IMAGE_PATH, {}, testHost(new MemoryVolume(cut)));
  });

  it("brings an odd raw back to its byte, but for a guest that has written behind it", async () => {
    const odd = guestBytesOf(GUEST).slice(0, GUEST.virtualSize - 1300);
    const toQcow2: Run = (volume) => convert(IMAGE_PATH, "qcow2", { format: "raw", options: QCOW2 }, testHost(volume));
    const isRearranging = (operation: Operation) => operation.kind === "rename" && operation.to === journal;
    const state = await cutBehind(odd, toQcow2, isRearranging);
    const back = new MemoryVolume(state);
    await rollback(IMAGE_PATH, {}, testHost(back));
    expect(Buffer.compare(back.snapshot(IMAGE_PATH), odd)).toBe(0);
    // The last sector lies where it lay in the raw.
    const used = withWrite(state, Math.floor(odd.length / 512) * 512, 0x44);
    const longer = new MemoryVolume(used);
    await rollback(IMAGE_PATH, {}, testHost(longer));
    expect(longer.snapshot(IMAGE_PATH)).toHaveLength(Math.ceil(odd.length / 512) * 512);
  });

  it("leads back over a footer that is gone", async () => {
    const { bytes } = buildVpc(GUEST);
    const isShorter = (operation: Operation) => operation.kind === "resize" && operation.size === GUEST.virtualSize;
    const state = await cutBehind(bytes, toRaw, isShorter);
    const back = new MemoryVolume(state);
    await rollback(IMAGE_PATH, {}, testHost(back));
    expect(Buffer.compare(back.snapshot(IMAGE_PATH), bytes)).toBe(0);
  });

  it("remembers what was wished for of a step that is all there is", async () => {
    const toQcow2: Run = (volume) =>
      convert(IMAGE_PATH, "qcow2", { format: "raw", options: QCOW2, compact: false }, testHost(volume));
    const whole = new RecordingVolume({ [IMAGE_PATH]: guestBytesOf(GUEST) });
    await toQcow2(whole);
    const cut = new MemoryVolume(await cutBehind(guestBytesOf(GUEST), toQcow2, isAdded));
    await resume(IMAGE_PATH, {}, testHost(cut));
    expect(cut.snapshot(IMAGE_PATH)).toHaveLength(whole.memory.snapshot(IMAGE_PATH).length);
  });

  it("goes on where all spares are taken", async () => {
    const data = Array.from({ length: 30 }, (_, at) => at + 5);
    const arrange = (places: readonly number[]) => [...places.slice(1), ...places.slice(0, 1)];
    const cycle = buildWithGuest({ virtualSize: 40 * CLUSTER, data, clusterBits: 12, arrange });
    const volume = new RecordingVolume({ [IMAGE_PATH]: cycle.bytes });
    await toRaw(volume);
    let tried = 0;
    for (const { count, cut } of eachCut(volume.log)) {
      if (!isSynced(volume.operations[count - 1] ?? ({ kind: "open" } as Operation))) continue;
      const again = new MemoryVolume(cut.sample("all-new", seededRandom(1)));
      const ended = await resume(IMAGE_PATH, {}, testHost(again)).catch((error: unknown) => error);
      if (ended instanceof ImageError && ended.message.startsWith("Nothing to ")) continue;
      expect(ended, `cut ${count}`).not.toBeInstanceOf(Error);
      expect(Buffer.compare(again.snapshot(IMAGE_PATH), cycle.guest), `cut ${count}`).toBe(0);
      tried++;
    }
    expect(tried).toBeGreaterThan(20);
  });
});

it("a journal holds the header area of a raw disk, and no more of it", async () => {
  const volume = new MemoryVolume({ [IMAGE_PATH]: guestBytesOf({ virtualSize: 400 * CLUSTER, data: [0, 399] }) });
  const words = { format: "raw", options: QCOW2 } as const;
  const { report } = await plan(IMAGE_PATH, "qcow2", words, testHost(volume));
  expect(report.peakExtraBytes).toBeLessThan(200 * CLUSTER);
});
