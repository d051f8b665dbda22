import { expect, it } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { convert, plan } from "../../../src/convert/convert.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { buildQcow2Image } from "../../formats/qcow2/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";

/** A volume whose files are sparse beyond what they hold. */
class EndlessVolume extends MemoryVolume {
  readonly length: number;

  constructor(bytes: Uint8Array, length: number) {
    super({ [IMAGE_PATH]: bytes });
    this.length = length;
  }

  override async openForReading(path: string): Promise<Storage> {
    const inner = await super.openForReading(path);
    return {
      path,
      size: async () => this.length,
      read: async (hostOffset, into) => {
        into.fill(0);
        await inner.read(hostOffset, into);
        return Math.max(0, Math.min(into.length, this.length - hostOffset));
      },
      close: () => inner.close(),
    };
  }
}

it("a sparse file of 4 PiB is refused, not allocated for", async () => {
  const volume = new EndlessVolume(buildQcow2Image().bytes, 2 ** 52);
  const { report } = await plan(IMAGE_PATH, "qed", {}, testHost(volume));
  expect(report.refused).toEqual([expect.stringContaining("in units of 4096: at most")]);
  const refusal = await convert(IMAGE_PATH, "qed", { dryRun: true }, testHost(volume)).catch(
    (reason: unknown) => reason,
  );
  expect(refusal).toBeInstanceOf(ImageError);
  expect(refusal).toMatchObject({ kind: "unsupported", path: IMAGE_PATH });
});
