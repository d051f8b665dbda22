/** Each message that README's FAQ quotes is what the program prints, provoked as its readers would. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { section } from "../support/readme.ts";
import { cli, scratchFolder, spawnNode } from "./spawn.ts";

/** The quotes with what stands below each. */
const faq = new Map(
  [...section("FAQ").matchAll(/^\*\*`(.+)`\*\*<br>\n(.+)$/gm)].map(([, quote = "", answer = ""]) => [quote, answer]),
);

/** A folder in which an image is put into a plight, and what is printed then. */
type Provocation = (folder: string) => string | Promise<string>;

const provoked: Readonly<Record<string, Provocation>> = {
  "Cannot tell the format": (folder) => printed(folder, "convert disk.raw qcow2"),
  "for raw: it is a qcow2 image": (folder) => printed(folder, "convert disk.qcow2 qed -f raw"),
  "QEMU has it open": async (folder) => {
    await openInQemu(join(folder, "disk.qcow2"));
    return printed(folder, "convert disk.qcow2 qed");
  },
  "2 names (hard links)": (folder) => {
    linkSync(join(folder, "disk.qcow2"), join(folder, "other.qcow2"));
    return printed(folder, "convert disk.qcow2 qed");
  },
  "its folder can't be written": (folder) => {
    const closed = join(folder, "closed");
    mkdirSync(closed);
    copyFileSync(join(folder, "disk.qcow2"), join(closed, "disk.qcow2"));
    chmodSync(join(closed, "disk.qcow2"), 0o666);
    chmodSync(closed, 0o555);
    chmodSync(folder, 0o755);
    onTestFinished(() => chmodSync(closed, 0o755));
    // As somebody whom permissions hold back, where we are root.
    const asUser = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
    return printed(folder, "convert closed/disk.qcow2 qed", asUser);
  },
  "Cannot keep 1 snapshot": (folder) => {
    qemu(folder, "snapshot", "-c", "one", "disk.qcow2");
    return printed(folder, "convert disk.qcow2 qed");
  },
  "a raw disk has none": (folder) => {
    onBackingFile(folder);
    return printed(folder, "convert disk.qcow2 raw");
  },
  "which is followed only with": (folder) => {
    onBackingFile(folder);
    return printed(folder, "checksum disk.qcow2");
  },
  "(dirty bit)": (folder) => {
    const bytes = readFileSync(join(folder, "disk.qcow2"));
    // Incompatible features: bit 0 of the byte at 79.
    bytes[79] = 1;
    writeFileSync(join(folder, "disk.qcow2"), bytes);
    return printed(folder, "convert disk.qcow2 qed");
  },
  "Stopped while": (folder) => {
    const inject = ["-e", "trace=fsync", "-e", "inject=fsync:signal=SIGINT:when=1"];
    return printed(folder, "convert disk.qed qcow2", ["strace", "-f", "-qq", "-o", "/dev/null", ...inject]);
  },
  "the undo of a conversion is kept": (folder) => {
    printed(folder, "convert disk.qcow2 qed --keep-undo");
    return printed(folder, "convert disk.qcow2 qcow2");
  },
  "Nothing to roll back": (folder) => printed(folder, "rollback disk.qcow2"),
  "the disk has grown": (folder) => printed(folder, "convert odd.raw vhd -f raw -o subformat=fixed"),
  "nothing to do": (folder) => printed(folder, "convert disk.qcow2 qcow2"),
  "needs Node 20": (folder) => {
    const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.8" } });';
    return spawnNode(["--import", `data:text/javascript,${encodeURIComponent(older)}`, cli, "info"], folder).stderr;
  },
};

let images: string;
beforeAll(() => {
  images = mkdtempSync(join(tmpdir(), "inplace-convert-dist-"));
  const disk = Buffer.alloc(2 << 20);
  disk.fill("guest", 1 << 20, (1 << 20) + 70_000);
  writeFileSync(join(images, "disk.raw"), disk);
  writeFileSync(join(images, "odd.raw"), disk.subarray(0, (1 << 20) + 512));
  for (const format of ["qcow2", "qed"]) qemu(images, "convert", "-O", format, "disk.raw", `disk.${format}`);
});

afterAll(() => rmSync(images, { recursive: true, force: true }));

test("each message of the FAQ is provoked, and has an answer", () => {
  expect(faq.size).toBe(section("FAQ").match(/^\*\*/gm)?.length);
  expect(faq.size).toBeGreaterThanOrEqual(10);
  for (const [quote, answer] of faq) {
    expect(answer.length, quote).toBeGreaterThan(40);
    expect(
      Object.keys(provoked).filter((words) => quote.includes(words)),
      quote,
    ).toHaveLength(1);
  }
  expect(Object.keys(provoked)).toHaveLength(faq.size);
});

describe("what the FAQ quotes is printed", () => {
  test.each(Object.entries(provoked))("… %s …", async (words, provoke) => {
    const folder = scratchFolder();
    for (const name of ["disk.raw", "odd.raw", "disk.qcow2", "disk.qed"]) {
      copyFileSync(join(images, name), join(folder, name));
    }
    const [quote = "no such message in the FAQ"] = [...faq.keys()].filter((each) => each.includes(words));
    expect(await provoke(folder)).toContain(quote);
  });

  test("and the dirty bit goes as it is told there", () => {
    const folder = scratchFolder();
    copyFileSync(join(images, "disk.qcow2"), join(folder, "disk.qcow2"));
    provoked["(dirty bit)"]?.(folder);
    const [answer = ""] = [...faq].flatMap(([quote, text]) => (quote.includes("(dirty bit)") ? text : []));
    const [, command = ""] = /`inplace-convert (check [^`]+)`/.exec(answer) ?? [];
    expect(spawnNode([cli, ...command.split(" ")], folder).exitCode).toBe(0);
    expect(printed(folder, "convert disk.qcow2 qed")).toContain("qcow2 is now qed");
  });
});

/** Both streams of a command, started by the words of `before`, which may change who or what runs it. */
function printed(folder: string, words: string, before: readonly string[] = []): string {
  const [command = "", ...rest] = [...before, process.execPath, cli, ...words.split(" ")];
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1" };
  const { stdout, stderr, error } = spawnSync(command, rest, { cwd: folder, encoding: "utf8", env });
  if (error !== undefined) throw error;
  return stdout + stderr;
}

function qemu(folder: string, ...words: readonly string[]): void {
  execFileSync("qemu-img", words, { cwd: folder, stdio: "ignore" });
}

function onBackingFile(folder: string): void {
  qemu(folder, "create", "-f", "qcow2", "base.qcow2", "1M");
  qemu(folder, "create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "disk.qcow2");
}

/** Until the test is over; QEMU asks for its first command once the image is open. */
async function openInQemu(path: string): Promise<void> {
  const process = spawn("qemu-io", [path], { cwd: dirname(path), stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void process.kill());
  await new Promise((resolve) => process.stdout.once("data", resolve));
}
