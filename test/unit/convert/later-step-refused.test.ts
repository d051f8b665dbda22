import { expect, test } from "vitest";
import { convert } from "../../../src/convert/convert.ts";
import { resume } from "../../../src/convert/recover.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildVpc } from "../../formats/vpc/builder.ts";
import { testHost } from "../../support/crash-scenario.ts";
import { failureOf } from "../../support/failure-of.ts";

test("a disk that has no room for a later step: what was written is not denied, and with room it goes on", async () => {
  const { bytes } = buildVpc({ virtualSize: 2 ** 20, data: [0, 3, 9] });
  const volume = new MemoryVolume({ disk: bytes });
  // For the footer that goes, not for tables.
  volume.free = 64 * 1024;
  const error = await failureOf(convert("disk", "qcow2", {}, testHost(volume)));
  expect(error).toMatchObject({ kind: "no-space", journal: "disk.inplace-journal" });
  expect(error.message).toMatch(/it takes \d+ bytes for a while.*the image is whole and its journal stands/);
  expect(error.message).not.toContain("nothing was written");
  volume.free = Number.POSITIVE_INFINITY;
  expect((await resume("disk", {}, testHost(volume))).message).toContain("qcow2");
});
