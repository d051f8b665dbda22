/** A command that fails leaves no file open: a library's process goes on, and may convert a thousand more. */

import { expect, test } from "vitest";
import { convert } from "../../../src/convert/convert.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import type { WritableStorage } from "../../../src/storage/storage.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { FailingVolume } from "../../support/failing-volume.ts";
import { type Case, WAYS } from "../../support/lying-trial.ts";
import { WrappedStorage, WrappedVolume } from "../../support/wrapped-volume.ts";

/** Knows the names of the files that are open. */
class CountingVolume extends WrappedVolume {
  readonly open = new Map<WrappedStorage, string>();

  protected override wrap(storage: WritableStorage): WrappedStorage {
    const { open } = this;
    const counted = new (class extends WrappedStorage {
      override async close(): Promise<void> {
        open.delete(this);
        await super.close();
      }
    })(storage);
    open.set(counted, storage.path);
    return counted;
  }
}

const [, , qcow2] = WAYS as [Case, Case, Case];

/** Three steps with a rearrangement among them, and rearrangements alone. */
test.each([
  { ...qcow2, to: "raw" },
  { ...qcow2, to: "qcow2", options: { compress: true } },
])("whichever sync of $from to $to fails", async ({ image, to, options }) => {
  let isOver = false;
  for (let nth = 1; !isOver; nth++) {
    const volume = new CountingVolume(new MemoryVolume({ [IMAGE_PATH]: image }));
    const failing = new FailingVolume(volume, { kind: "sync", nth, code: "EIO" });
    isOver = await convert(IMAGE_PATH, to, options, testHost(failing)).then(
      () => true,
      () => false,
    );
    expect([...volume.open.values()]).toEqual([]);
  }
});
