/** A run whose lock another command has by now stops before its next barrier: above all it commits nothing. */

import { describe, expect, test } from "vitest";
import { check } from "../../../src/convert/check.ts";
import { convert } from "../../../src/convert/convert.ts";
import type { Host } from "../../../src/convert/host.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import type { WritableStorage } from "../../../src/storage/storage.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { buildQedImage } from "../../support/qed-image.ts";
import { WrappedStorage, WrappedVolume } from "../../support/wrapped-volume.ts";

const NAMES = journalNamesOf(IMAGE_PATH);
const QED = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3], leaks: 2 }).bytes;
const ANOTHERS = new TextEncoder().encode(
  JSON.stringify({ pid: 1, hostName: "there", bootId: "b", startTime: "0", nonce: "another's" }),
);

/** What the run does once it has lost its lock, one word a call. */
type Deed = "image: sector 0" | "image: write" | "image: sync" | "journal";

/**
 * The lock becomes another's right after the n-th write, sync or resize of anything but the lock, or the n-th read of
 * the image.
 */
class LosingVolume extends WrappedVolume {
  readonly afterwards: Deed[] = [];
  readonly memory: MemoryVolume;
  readonly #nth: number;
  readonly #countsReads: boolean;
  #isLost = false;
  count = 0;

  constructor(memory: MemoryVolume, nth: number, counted: "barriers" | "reads" = "barriers") {
    super(memory);
    this.memory = memory;
    this.#nth = nth;
    this.#countsReads = counted === "reads";
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    const done = (deed: Deed) => this.#done(deed);
    const hasRead = () => this.#hasRead();
    const isImage = storage.path === IMAGE_PATH;
    if (storage.path === NAMES.lock) return super.wrap(storage);
    return new (class extends WrappedStorage {
      override async read(hostOffset: number, into: Uint8Array): Promise<number> {
        const count = await super.read(hostOffset, into);
        if (isImage) await hasRead();
        return count;
      }

      override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
        await super.write(hostOffset, bytes);
        await done(isImage ? (hostOffset === 0 ? "image: sector 0" : "image: write") : "journal");
      }

      override async resize(size: number): Promise<void> {
        await super.resize(size);
        await done(isImage ? "image: write" : "journal");
      }

      override async sync(): Promise<void> {
        await super.sync();
        await done(isImage ? "image: sync" : "journal");
      }
    })(storage);
  }

  async #done(deed: Deed): Promise<void> {
    if (this.#isLost) this.afterwards.push(deed);
    if (!this.#countsReads) await this.#counted();
  }

  async #hasRead(): Promise<void> {
    if (this.#countsReads) await this.#counted();
  }

  async #counted(): Promise<void> {
    if (++this.count !== this.#nth) return;
    this.#isLost = true;
    await this.memory.remove(NAMES.lock);
    const lock = await this.memory.createExclusively(NAMES.lock);
    await lock?.write(0, ANOTHERS);
  }
}

async function qcow2(): Promise<Uint8Array> {
  const volume = new MemoryVolume({ [IMAGE_PATH]: QED });
  await convert(IMAGE_PATH, "qcow2", {}, testHost(volume));
  return volume.snapshot(IMAGE_PATH);
}

/** QED from qcow2 settles; a QED with leaks is repaired. */
const RUNS: readonly (readonly [string, () => Promise<Uint8Array>, (host: Host) => Promise<unknown>])[] = [
  ["QED to qcow2", async () => QED, (host) => convert(IMAGE_PATH, "qcow2", {}, host)],
  ["QED to qcow2, the undo kept", async () => QED, (host) => convert(IMAGE_PATH, "qcow2", { keepUndo: true }, host)],
  ["qcow2 to QED", qcow2, (host) => convert(IMAGE_PATH, "qed", {}, host)],
  ["a repair", leakyQcow2, (host) => check(IMAGE_PATH, { repair: "all" }, host)],
];

/** Its refcounts say that a cluster past the tables is in use. */
async function leakyQcow2(): Promise<Uint8Array> {
  const image = await qcow2();
  const view = new DataView(image.buffer);
  const refcountTable = Number(view.getBigUint64(48));
  const refcountBlock = Number(view.getBigUint64(refcountTable));
  for (let entry = 0; ; entry++) {
    if (view.getUint16(refcountBlock + 2 * entry) !== 0) continue;
    view.setUint16(refcountBlock + 2 * entry, 1);
    return image;
  }
}

describe.each(RUNS)("%s", (_, makeImage, run) => {
  test("stops before the next barrier, wherever the lock is lost", async () => {
    const image = await makeImage();
    const undisturbed = new LosingVolume(new MemoryVolume({ [IMAGE_PATH]: image }), Number.POSITIVE_INFINITY);
    await run(testHost(undisturbed));
    let stoppedCount = 0;
    for (let nth = 1; nth <= undisturbed.count; nth++) {
      const volume = new LosingVolume(new MemoryVolume({ [IMAGE_PATH]: image }), nth);
      const error = await run(testHost(volume)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      // What was begun is made durable, and that is all.
      const { afterwards } = volume;
      expect(afterwards.filter((deed) => deed === "image: sync").length, `${nth}: ${afterwards}`).toBeLessThan(2);
      expect(afterwards, `${nth}`).not.toContain("image: sector 0");
      expect(volume.memory.snapshot(NAMES.lock), `${nth}`).toEqual(ANOTHERS);
      if (error === undefined) continue;
      stoppedCount++;
      expect(error).toMatchObject({ kind: "in-use", journal: expect.stringContaining(".inplace-"), rolledBack: false });
      expect(volume.memory.has(NAMES.journal), `${nth}`).toBe(true);
    }
    // Only what comes after the last look goes unnoticed.
    expect(stoppedCount).toBeGreaterThan(undisturbed.count / 2);
  });

  test("switches no header, whatever is being read when the lock is lost", async () => {
    const image = await makeImage();
    const undisturbed = new LosingVolume(new MemoryVolume({ [IMAGE_PATH]: image }), Number.POSITIVE_INFINITY, "reads");
    await run(testHost(undisturbed));
    for (let nth = 1; nth <= undisturbed.count; nth++) {
      const volume = new LosingVolume(new MemoryVolume({ [IMAGE_PATH]: image }), nth, "reads");
      await run(testHost(volume)).catch(() => {});
      expect(volume.afterwards, `after read ${nth}`).not.toContain("image: sector 0");
      expect(volume.memory.snapshot(NAMES.lock), `after read ${nth}`).toEqual(ANOTHERS);
    }
  });
});
