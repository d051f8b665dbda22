/** What pipelines hold and publish: raw to qcow2, to a fixed VHD and back, renamed, byte for byte. */

import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Runner, tool } from "./runner.ts";

test("raw to qcow2, to a fixed VHD, to raw: the same disk, its name its format's, the path told", async () => {
  const runner = new Runner();
  const guest = runner.makeImage("disk.raw", "raw");

  // raw is never guessed.
  const guessed = await runner.main({ image: "disk.raw", "target-format": "qcow2" });
  expect(guessed.annotations).toMatchObject([{ message: expect.stringContaining("source-format: raw") }]);
  expect(guessed.exitCode).toBe(1);

  const asQcow2 = await runner.main({
    image: "disk.raw",
    "source-format": "raw",
    "target-format": "qcow2",
    checksum: "sha256",
  });
  expect(asQcow2).toMatchObject({ exitCode: 0, outputs: { image: "disk.qcow2", "checksum-before": guest } });
  expect(runner.cleanFormat("disk.qcow2")).toBe("qcow2");
  expect(JSON.parse(asQcow2.outputs.images ?? "")).toMatchObject([
    {
      path: [
        { step: "switch", to: "qcow2" },
        { step: "rearrange", goal: "compact" },
      ],
      "file-size-before": 8 * 1024 ** 2,
    },
  ]);
  expect(asQcow2.summary).toContain("<td>1 switch to qcow2<br>2 rearrange: ");

  const toVhd = { image: "disk.qcow2", "target-format": "vhd", options: "subformat=fixed" };
  writeFileSync(runner.path("disk.vhd"), "somebody's");
  expect((await runner.main(toVhd)).annotations).toMatchObject([{ message: expect.stringContaining("disk.vhd") }]);
  runner.remove("disk.vhd");
  const asVhd = await runner.main(toVhd);
  expect(asVhd).toMatchObject({ exitCode: 0, outputs: { image: "disk.vhd", format: "vpc" } });
  expect(JSON.parse(tool("qemu-img", "info", "-f", "vpc", "--output=json", runner.path("disk.vhd"))).format).toBe(
    "vpc",
  );

  const asRaw = await runner.main({ image: "disk.vhd", "target-format": "raw" });
  expect(asRaw).toMatchObject({ exitCode: 0, outputs: { image: "disk.raw", format: "raw" } });
  expect(runner.sha256("disk.raw")).toBe(guest);
  expect(runner.names).toEqual(["disk.raw"]);
});
