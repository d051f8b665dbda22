/** An OVA in a pipeline: as a file and as a download, converted where it stands and renamed; its manifest told or refused. */

import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { ovfText } from "../formats/ova/builder.ts";
import { fileHandler, startServer } from "../support/http-server.ts";
import { Runner, tool } from "./runner.ts";

const QCOW2 = { "target-format": "qcow2", checksum: "sha256" } as const;

/** `box.ova`, by tar; returns the digest of its disk's guest. */
function makeOva(runner: Runner, digest?: string): string {
  const run = (...words: readonly [string, ...string[]]) =>
    execFileSync(words[0], words.slice(1), { cwd: runner.workspace, encoding: "utf8" });
  const guest = runner.makeImage("source.qcow2", "qcow2");
  const files = ["box.ovf", "box.mf", "disk.vmdk"];
  tool(
    "qemu-img",
    "convert",
    "-O",
    "vmdk",
    "-o",
    "subformat=streamOptimized",
    runner.path("source.qcow2"),
    runner.path("disk.vmdk"),
  );
  writeFileSync(runner.path("box.ovf"), ovfText("disk.vmdk"));
  writeFileSync(
    runner.path("box.mf"),
    digest ? `SHA256(disk.vmdk)= ${digest}\n` : run("openssl", "dgst", "-sha256", "disk.vmdk"),
  );
  run("tar", "--format=ustar", "-cf", "box.ova", ...files);
  for (const name of [...files, "source.qcow2"]) runner.remove(name);
  return guest;
}

test("a file: converted in place, renamed, its proof told", async () => {
  const runner = new Runner();
  const guest = makeOva(runner);
  const looked = await runner.main({ image: "box.ova", mode: "check" });
  expect(looked).toMatchObject({ exitCode: 0, outputs: { "check-result": "clean" } });
  const { exitCode, outputs, summary } = await runner.main({ image: "*.ova", ...QCOW2 });
  expect(exitCode).toBe(0);
  expect(outputs).toMatchObject({ image: "box.qcow2", format: "qcow2", "checksum-before": guest, "bytes-moved": "0" });
  expect(summary).toContain("proof against corruption, not against forgery");
  expect(runner.names).toEqual(["box.qcow2"]);
  expect(runner.cleanFormat("box.qcow2")).toBe("qcow2");
  expect(runner.guestDigest("box.qcow2")).toBe(guest);
});

test("downloads: kept whole, packed or not; one that its manifest contradicts is not converted", async () => {
  const runner = new Runner();
  const server = await startServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const guest = makeOva(runner);
  server.on("/box.ova", fileHandler(readFileSync(runner.path("box.ova"))));
  server.on("/packed.ova.gz", fileHandler(gzipSync(readFileSync(runner.path("box.ova")))));
  makeOva(runner, "0".repeat(64));
  server.on("/bad.ova", fileHandler(readFileSync(runner.path("box.ova"))));
  copyFileSync(runner.path("box.ova"), runner.path("kept"));
  runner.remove("box.ova");
  const urls = ["box.ova", "packed.ova.gz"].map((name) => `${server.origin}/${name}`);
  const good = await runner.main({ image: urls.join("\n"), ...QCOW2 });
  expect(good.exitCode).toBe(0);
  const images = JSON.parse(good.outputs.images ?? "") as object[];
  expect(images).toMatchObject([
    { image: "box/box.qcow2", "source-format": "ova", "bytes-moved": 0 },
    { image: "packed/packed.qcow2", "source-format": "ova" },
  ]);
  expect(runner.guestDigest("box/box.qcow2")).toBe(guest);
  const bad = await runner.main({ image: `${server.origin}/bad.ova`, ...QCOW2 });
  expect(bad.exitCode).toBe(1);
  expect(bad.annotations[0]?.message).toContain("its manifest box.mf says");
  expect(runner.names).toEqual(["box", "kept", "packed"]);
  copyFileSync(runner.path("kept"), runner.path("bad.ova"));
  const unproven = await runner.main({ image: "bad.ova", ...QCOW2 });
  expect(unproven.annotations).toMatchObject([
    {
      kind: "error",
      message: expect.stringMatching(/Its member disk\.vmdk has sha256 .* its manifest box\.mf says 0{64}/),
    },
  ]);
  expect(readFileSync(runner.path("bad.ova")).equals(readFileSync(runner.path("kept")))).toBe(true);
});
