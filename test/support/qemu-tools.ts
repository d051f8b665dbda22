/** qemu-img, qemu-io and e2fsck as judges: what they say about a file, and writes that they make. */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { check } from "../../src/convert/check.ts";

/** Formats that qemu-img can't check. */
const UNCHECKED = ["qcow"];
const execute = promisify(execFile);

/** Runs a tool in `folder` and returns what it printed; throws with all its words where it fails. */
export async function run(tool: string, words: readonly string[], folder?: string): Promise<string> {
  try {
    const options = { encoding: "utf8", maxBuffer: 2 ** 26, ...(folder && { cwd: folder }) } as const;
    return (await execute(tool, words, options)).stdout;
  } catch (error) {
    const { message, stdout = "" } = error as Error & { readonly stdout?: string };
    throw new Error(`${message}${stdout}`, { cause: error });
  }
}

/** qemu-io's commands in one process. */
export async function qemuIo(path: string, format: string, commands: readonly string[], unmap = false): Promise<void> {
  if (commands.length === 0) return;
  // The page cache is enough for a test: without this each flush would wait for the disk.
  const words = [
    "-t",
    "unsafe",
    ...(unmap ? ["-d", "unmap"] : []),
    "-f",
    format,
    ...commands.flatMap((command) => ["-c", command]),
  ];
  await run("qemu-io", [...words, path]);
}

/** Throws unless `qemu-img check`, or ours where it has none for the format, finds neither corruption nor leak, of ours no corruption. */
export async function assertClean(path: string, format: string): Promise<void> {
  if (UNCHECKED.includes(format)) {
    const { corruptions, text } = await check(path, { format, forceShare: true });
    // A write of QEMU's over a compressed cluster leaves that behind.
    if (corruptions !== 0) throw new Error(`${path} is not clean: ${text}`);
    return;
  }
  const said = await run("qemu-img", ["check", "-U", "-f", format, path]);
  if (!said.includes("No errors were found on the image.")) throw new Error(`${path} is not clean: ${said}`);
}

export interface ImageInfo {
  readonly format: string;
  readonly "virtual-size": number;
  readonly "cluster-size"?: number;
  readonly "backing-filename"?: string;
  readonly "backing-filename-format"?: string;
  readonly "format-specific"?: { readonly data: Readonly<Record<string, unknown>> };
}

export async function info(path: string, format?: string): Promise<ImageInfo> {
  return JSON.parse(await run("qemu-img", ["info", ...(format ? ["-f", format] : []), "--output=json", path]));
}

/** Throws unless qemu shows the same bytes, and disks of the same size, in both files. */
export async function assertSame(path: string, format: string, rawPath: string): Promise<void> {
  const said = await run("qemu-img", ["compare", "-f", format, "-F", "raw", path, rawPath]);
  if (!said.includes("Images are identical.")) throw new Error(`${path} differs: ${said}`);
  const [{ "virtual-size": size }, { size: rawSize }] = [await info(path, format), await stat(rawPath)];
  if (size !== rawSize) throw new Error(`${path} has a disk of ${size} bytes, not ${rawSize}`);
}

/** Throws unless qemu shows the guest of `guestPath` in the file, which, as raw, may be longer; no lock is taken. */
export async function assertGuest(path: string, format: string, guestPath: string): Promise<void> {
  const [{ size }, { size: guestSize }] = [await stat(path), await stat(guestPath)];
  const part = format === "raw" && size > guestSize ? `,size=${guestSize}` : "";
  const nodes = [
    `driver=${format}${part},file.driver=file,file.filename=${path}`,
    `driver=raw,file.driver=file,file.filename=${guestPath}`,
  ];
  const said = await run("qemu-img", ["compare", "-U", "--image-opts", ...nodes]);
  if (!said.includes("Images are identical.")) throw new Error(`qemu-img finds another guest: ${said}`);
}

/** The file's bytes in one digest, its length among them. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path);
  try {
    for await (const piece of file.createReadStream({ autoClose: false, highWaterMark: 2 ** 20 })) hash.update(piece);
  } finally {
    await file.close();
  }
  return `${hash.digest("hex")} ${(await stat(path)).size}`;
}

const BLOCK = 65_536;

/** blkhash-sha256 of a raw file by nothing of `src/`: SHA-256 over the digests of its 64 KiB blocks and its length. */
export async function blkhashOf(rawPath: string): Promise<string> {
  const outer = createHash("sha256");
  const file = await open(rawPath);
  const block = Buffer.alloc(BLOCK);
  let length = 0;
  try {
    for (;;) {
      const { bytesRead } = await file.read(block, 0, BLOCK, length);
      if (bytesRead === 0) break;
      outer.update(createHash("sha256").update(block.subarray(0, bytesRead)).digest());
      length += bytesRead;
    }
  } finally {
    await file.close();
  }
  const tail = Buffer.alloc(8);
  tail.writeBigUInt64LE(BigInt(length));
  return outer.update(tail).digest("hex");
}
