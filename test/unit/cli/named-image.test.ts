/** `--image-opts`, `json:{…}` and `--object` on the commands that read. */

import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/index.ts";
import { run } from "./world.ts";

/** The library stops there: what it was called with is what counts. */
const stop = async () => Promise.reject(new UsageError("stop"));
const library = { info: stop, map: stop, check: stop, checksum: stop, compare: stop };
const single = ["info", "map", "check", "checksum"] as const;

describe.each(single)("%s", (name) => {
  test.each([
    [["--image-opts", "driver=QCOW2,file.filename=a,,b.img"], "a,b.img", "qcow2"],
    [["--image-opts", "file.driver=file,file.filename=disk"], "disk", undefined],
    [["--image-opts", "driver=raw,filename=disk"], "disk", "raw"],
    [['json:{"driver": "vhd", "file": {"driver": "file", "filename": "a b"}}'], "a b", "vpc"],
    [['json:{"file.filename": "a"}'], "a", undefined],
    [["-f", "qed", 'json:{"file.filename": "a"}'], "a", "qed"],
    [["-f", "QCow2", 'json:{"driver": "qcow2", "file.filename": "a"}'], "a", "qcow2"],
    [["./json:x"], "./json:x", undefined],
  ])("%j", async (words, path, format) => {
    const [[called, given, options] = []] = (await run([name, ...words], library)).calls;
    expect([called, given, (options as { format?: string }).format]).toEqual([name, path, format]);
  });

  test.each([
    [["--image-opts", "driver=qcow2"], "--image-opts needs file.filename"],
    [["--image-opts", "-f", "qcow2", "file.filename=a"], "beside --image-opts: name the format by driver"],
    [["--image-opts", "driver=qcow2,file.filename=a,backing.file.filename=b"], "Cannot use backing.file.filename of"],
    [["--image-opts", "file.driver=nbd,file.filename=a"], "Cannot open an image by nbd"],
    [['json:{"driver": "qcow2"}'], "json:… needs file.filename"],
    [['json:{"file": {"filename": "a", "locking": "off"}}'], "Cannot use file.locking of json:…"],
    [['json:{"file": {"filename": 5}}'], "Cannot use file.filename of json:…: expected a text"],
    [['json:{"read-only": true, "file": {"filename": "a"}}'], "Cannot use read-only of json:…: driver and"],
    [
      ["-f", "raw", 'json:{"driver": "qcow2", "file.filename": "a"}'],
      "--format raw beside json:… whose driver is qcow2",
    ],
    [["--image-opts", "driver=qcow2,file.filename=a,"], 'Cannot read --image-opts "driver=qcow2,file.filename=a,"'],
    [["json:[]"], "Cannot read json:…: expected an object with"],
    [["json:{"], "it is no JSON; a file of that name is ./json:"],
  ])("%j is refused, nothing opened", async (words, says) => {
    const { calls, exitCode, stderr } = await run([name, ...words], library);
    expect([calls, exitCode]).toEqual([[], name === "check" ? 1 : 2]);
    expect(stderr).toContain(says);
  });
});

test("compare takes both images so", async () => {
  const words = ["compare", "--image-opts", "driver=raw,file.filename=a", "file.filename=b"];
  const [[, ...given] = []] = (await run(words, library)).calls;
  expect(given).toMatchObject(["a", "b", { formatA: "raw" }]);
  const mixed = ["compare", 'json:{"driver":"qed","file":{"filename":"a"}}', "b", "-F", "raw"];
  expect((await run(mixed, library)).calls[0]?.slice(1)).toMatchObject(["a", "b", { formatA: "qed", formatB: "raw" }]);
  expect((await run([...words, "-F", "raw"], library)).stderr).toContain("Cannot take --format beside --image-opts");
});

test("a secret is taken where no guest data is read, and refused where it is", async () => {
  const secret = "--object secret,id=s0,file=key.txt";
  for (const name of ["info", "map", "check"]) {
    const words = `${name} ${secret} --image-opts driver=qcow2,encrypt.key-secret=s0,file.filename=a`;
    expect((await run(words, library)).calls[0]?.slice(0, 2)).toEqual([name, "a"]);
  }
  for (const words of ["checksum a", "compare a b"]) {
    const { calls, exitCode, stderr } = await run(`${words} ${secret}`, library);
    expect([calls, exitCode]).toEqual([[], 2]);
    expect(stderr).toContain("no encrypted guest is read here; leave it out, or decrypt a copy with qemu-img convert");
  }
  const { stderr } = await run("checksum --image-opts file.filename=a,encrypt.key-secret=s0", library);
  expect(stderr).toContain("Cannot use encrypt.key-secret of --image-opts");
});
