/** Whoever opens the image between two epochs is seen before the next one writes, however short a time has passed. */

import { expect, test } from "vitest";
import { convert } from "../../../../src/convert/convert.ts";
import { resume } from "../../../../src/convert/recover.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import type { OtherUsers, Storage, WritableStorage } from "../../../../src/storage/storage.ts";
import { buildWithGuest } from "../../../formats/qcow2/any-image.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { WrappedStorage, WrappedVolume } from "../../../support/wrapped-volume.ts";

/** Somebody opens the image behind the nth write to it, and keeps it open. */
class OpenedVolume extends WrappedVolume {
  writeCount = 0;
  syncsSince = 0;
  readonly #nth: number;

  constructor(inner: MemoryVolume, nth: number) {
    super(inner);
    this.#nth = nth;
  }

  get isOpened(): boolean {
    return this.writeCount >= this.#nth;
  }

  override async otherUsers(_storage: Storage): Promise<OtherUsers> {
    return { found: this.isOpened ? ["QEMU has it open"] : [], blind: [] };
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    return storage.path === IMAGE_PATH ? new OpenedStorage(storage, this) : super.wrap(storage);
  }
}

class OpenedStorage extends WrappedStorage {
  readonly #volume: OpenedVolume;

  constructor(inner: WritableStorage, volume: OpenedVolume) {
    super(inner);
    this.#volume = volume;
  }

  override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    await super.write(hostOffset, bytes);
    this.#volume.writeCount++;
  }

  override async sync(): Promise<void> {
    await super.sync();
    if (this.#volume.isOpened) this.#volume.syncsSince++;
  }
}

const KiB = 1024;

/** Clusters that lie in the wrong order, so that the way to raw has many epochs. */
function image(): Uint8Array {
  const data = Array.from({ length: 40 }, (_, at) => 39 - at);
  return new Uint8Array(buildWithGuest({ virtualSize: 40 * 4 * KiB, data, clusterBits: 12 }).bytes);
}

const SETTINGS = { maxExtraSpace: 64 * KiB } as const;

test("no more than the epoch under way is finished", async () => {
  const bytes = image();
  const undisturbed = new OpenedVolume(new MemoryVolume({ [IMAGE_PATH]: bytes }), Number.POSITIVE_INFINITY);
  // A clock that stands: by time alone nobody would be looked for again.
  const host = (volume: OpenedVolume) => ({ ...testHost(volume), now: () => 0 });
  await convert(IMAGE_PATH, "raw", SETTINGS, host(undisturbed));
  const { writeCount } = undisturbed;
  expect(writeCount).toBeGreaterThan(60);
  // Behind the first switch, before the last.
  for (let nth = Math.ceil(writeCount * 0.3); nth < writeCount * 0.7; nth += 2) {
    const memory = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const volume = new OpenedVolume(memory, nth);
    const failure = await failureOf(convert(IMAGE_PATH, "raw", SETTINGS, host(volume)));
    expect(failure).toMatchObject({ kind: "in-use", message: expect.stringContaining("QEMU has it open") });
    expect(volume.syncsSince, `opened behind write ${nth}`).toBeLessThanOrEqual(1);
    if (nth % 8 === 0) await resume(IMAGE_PATH, {}, testHost(memory));
  }
});
