/** Files of formats that we don't open, as their own programs make them: named, and what is advised works. */

import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert, plan } from "../../src/convert/convert.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map } from "../../src/convert/reading/map.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) => execFileSync(words[0], words.slice(1), { cwd: folder });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-known-"));
  writeFileSync(at("disk.raw"), Buffer.alloc(4 << 20, "guest"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What it is called, and what where it is to be taken for raw: a format that can be read is named as `-f` has it. */
describe.each<[string, string, string, string?]>([["vmdk", "vmfs", "a VMDK image (vmfs)", "a vmdk image"]])(
  "%s %s",
  (format, subformat, name, asRaw = name) => {
    const file = `${format}-${subformat}.img`;
    beforeAll(() => {
      run("qemu-img", "convert", "-f", "raw", "-O", format, "-o", "subformat=monolithicFlat", "disk.raw", file);
      // As ESX writes it.
      const text = readFileSync(at(file), "latin1");
      writeFileSync(
        at(file),
        text.replace("monolithicFlat", subformat).replace(/ FLAT ("[^"]*") 0/, " VMFS $1"),
        "latin1",
      );
    });

    test("is named by every command, and -f raw is refused by every one", async () => {
      const before = readFileSync(at(file));
      const all = (options: { readonly format?: "raw" }) => [
        () => checksum(at(file), options),
        () => compare(at(file), at(file), options.format ? { formatA: "raw", formatB: "raw" } : {}),
        () => compare(at("disk.raw"), at(file), { formatA: "raw", ...(options.format && { formatB: "raw" }) }),
        () => info(at(file), options),
        () => map(at(file), options),
        () => check(at(file), options),
        () => plan(at(file), "qcow2", options),
        () => convert(at(file), "qcow2", options),
      ];
      for (const options of [{}, { format: "raw" } as const]) {
        for (const told of all(options)) {
          const error = await told()
            .then(() => undefined)
            .catch((error) => error);
          expect(error).toMatchObject({ name: "ImageError", kind: "unsupported" });
          expect(error.message).toContain(`it is ${"format" in options ? asRaw : name}`);
          expect(error.message).not.toMatch(/it is raw|with -f raw/);
        }
      }
      const marked = { format: "raw", allowMarkedRaw: true } as const;
      expect((await checksum(at(file), marked)).checksum).toMatch(/^[0-9a-f]{64}$/);
      await compare(at(file), at(file), { formatA: "raw", formatB: "raw", allowMarkedRaw: true });
      for (const read of [info, map, check]) await read(at(file), marked);
      expect(readFileSync(at(file)).equals(before)).toBe(true);
    });

    test("what is advised works", async () => {
      const { message } = await info(at(file)).catch((error) => error);
      const [, words = ""] = /: (qemu-img convert [^;]*)$/.exec(message) ?? [];
      const [command = "", ...rest] = words.split(" ");
      run(command, ...rest, file, "copy");
      expect((await compare(at("copy"), at("disk.raw"), { formatB: "raw" })).identical).toBe(true);
    });
  },
);

describe("packed and archived", () => {
  const pack: Record<string, () => void> = {
    gzip: () => writeFileSync(at("packed"), gzipSync(readFileSync(at("disk.raw")))),
    zstd: () => writeFileSync(at("packed"), zstdCompressSync(readFileSync(at("disk.raw")))),
    xz: () => run("sh", "-c", "xz -c disk.raw > packed"),
    bzip2: () => run("sh", "-c", "bzip2 -c disk.raw > packed"),
    "a tar archive": () => run("tar", "--format=ustar", "-cf", "packed", "disk.raw"),
    "a tar archive without an OVF descriptor": () => run("tar", "--format=gnu", "-cf", "packed", "disk.raw"),
  };
  test.each(Object.entries(pack))("%s", async (name, make) => {
    make();
    const { message } = await info(at("packed")).catch((error) => error);
    expect(message).toContain(name);
    await expect(checksum(at("packed"), { format: "raw" })).rejects.toMatchObject({ kind: "unsupported" });
    const [, tool = ""] = /, with (.+)$/.exec(message) ?? [];
    if (spawnSync("sh", ["-c", `command -v ${tool.split(" ")[0]}`]).status !== 0) return;
    copyFileSync(at("disk.raw"), at("as-it-was"));
    renameSync(at("disk.raw"), at("moved"));
    run("sh", "-c", tool.startsWith("tar") ? `${tool} packed` : `${tool} < packed > disk.raw`);
    expect(readFileSync(at("disk.raw")).equals(readFileSync(at("as-it-was")))).toBe(true);
  });
});
