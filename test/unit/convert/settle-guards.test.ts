/** What settling stops for: when it is asked to, and before pointers that would lead to wrong tables. */

import { expect, test } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { convert } from "../../../src/convert/convert.ts";
import { verifyMetadata } from "../../../src/convert/proof/verify.ts";
import { resume } from "../../../src/convert/recover.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { checkOf } from "../../../src/image/source.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { crashScenarios, IMAGE_PATH, type Scenario, testHost } from "../../support/crash-scenario.ts";
import { type Call, type Case, callsOf, lied, SPARSE, WAYS } from "../../support/lying-trial.ts";

const scenario = (await crashScenarios()).find(
  ({ name }) => name === "qcow2 to qed, free clusters to fill",
) as Scenario;

test("asked to stop while it settles, it stops before the next epoch, and resume settles the rest", async () => {
  const volume = new MemoryVolume({ [IMAGE_PATH]: scenario.image });
  const stop = new AbortController();
  const options = {
    signal: stop.signal,
    onProgress: ({ stage }: { readonly stage: string }) => {
      if (stage === "settle") stop.abort();
    },
  };
  const error = await convert(IMAGE_PATH, "qed", options, testHost(volume)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ImageError);
  expect(error).toMatchObject({ kind: "interrupted", message: expect.stringContaining("while settling") });
  expect((error as ImageError).journal).toBeDefined();
  await resume(IMAGE_PATH, {}, testHost(volume));
  const check = await checkOf(await openImage(memoryStorage(volume.snapshot(IMAGE_PATH))));
  expect(check.findings).toEqual([]);
});

test("an entry past the disk's end that leads nowhere is seen before the header points at its table", async () => {
  const way = WAYS[2] as Case;
  const { writes } = await callsOf(way);
  const header = writes.findLastIndex(({ hostOffset }) => hostOffset === 0);
  const tables = writes[header - 1] as Call;
  // One L2 table, then the L1 table; the last entry of the first maps nothing of so small a disk.
  const entry = tables.hostOffset + tables.bytes.length / 2 - 8;
  const messages: string[] = [];
  for (let turn = 1; turn <= 6; turn++) {
    let count = 0;
    const { error } = await lied(way, {
      read(hostOffset, bytes, stage) {
        if (stage !== "committed" || hostOffset > entry || hostOffset + bytes.length < entry + 8) return;
        if (++count === turn) bytes[entry - hostOffset + 1] = 0x10;
      },
    });
    messages.push(error?.message ?? "");
  }
  expect(messages).toContainEqual(expect.stringContaining("its new tables are wrong"));
});

test("a target of another size than its source is no target, whatever its tables say", async () => {
  const target = await openImage(memoryStorage(buildQedImage(SPARSE).bytes));
  const mapping = await target.getMapping();
  const verified = (virtualSize: number) =>
    verifyMetadata({
      source: { virtualSize, backing: undefined, mapping },
      target,
      planned: undefined,
      mustBeSettled: false,
      check: false,
    });
  await verified(target.virtualSize);
  await expect(verified(target.virtualSize + 512)).rejects.toThrow(/its disk has \d+ bytes, the source's \d+/);
});
