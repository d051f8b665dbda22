import { accessSync, lstatSync } from "node:fs";
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  open as openHandle,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FileVolume } from "../../../../src/storage/file/file-volume.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";

vi.mock("node:fs", { spy: true });
vi.mock("node:fs/promises", { spy: true });

const volume = new FileVolume();
let folder: string;
let image: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-file-"));
  image = join(folder, "disk.qed");
  await writeFile(image, "0123456789");
});
afterEach(() => rm(folder, { recursive: true }));

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: from a test`), { code });
}

describe("obstacles, told beforehand", () => {
  /** The system's answers for one who is not root. */
  function deny(path: string, code: string): void {
    vi.mocked(accessSync).mockImplementation((asked) => {
      if (asked === path) throw systemError(code);
    });
  }

  test("none for a file in a folder, both writable", async () => {
    expect(await volume.obstaclesToWriting(image)).toEqual([]);
    expect(await volume.obstacleToCreating(`${image}.inplace-lock`)).toBeUndefined();
    expect(await volume.obstacleToCreating(image)).toBeUndefined();
  });

  test("all at once, in the words of openForWriting", async () => {
    await link(image, join(folder, "other"));
    deny(image, "EACCES");
    const found = await volume.obstaclesToWriting(image);
    expect(found.map(({ kind }) => kind)).toEqual(["unsupported", "io"]);
    const hardLinked = await volume.openForWriting(image).catch((error: Error) => error);
    expect(found[0]).toEqual(hardLinked);
    expect(found[1]?.message).toMatch(/^Cannot open .*: permission denied \(EACCES\)/);
    vi.mocked(accessSync).mockReset();
  });

  test("what is no regular file, and what is gone", async () => {
    await symlink("disk.qed", join(folder, "link"));
    for (const path of [join(folder, "link"), folder, "/dev/null", join(folder, "gone")]) {
      const opened = await volume.openForWriting(path).catch((error: Error) => error);
      expect(await volume.obstaclesToWriting(path)).toEqual([opened]);
    }
  });

  test("a folder without permission, also where the name is there already, and a name that is too long", async () => {
    deny(folder, "EROFS");
    for (const path of [image, join(folder, "new")]) {
      expect(await volume.obstacleToCreating(path)).toMatchObject({
        kind: "io",
        message: expect.stringContaining(
          `Cannot create ${path}: its folder is on a file system that is mounted read-only`,
        ),
      });
    }
    vi.mocked(accessSync).mockReset();
    const long = join(folder, "n".repeat(256));
    const made = await volume.createExclusively(long).catch((error: Error) => error);
    expect(await volume.obstacleToCreating(long)).toMatchObject({ cause: { code: "ENAMETOOLONG" } });
    expect(made).toMatchObject({ cause: { code: "ENAMETOOLONG" } });
    expect(await volume.obstacleToCreating(join(folder, "gone/new"))).toMatchObject({ cause: { code: "ENOENT" } });
  });
});

describe("openForReading", () => {
  test("reads, also through a symbolic link", async () => {
    await symlink("disk.qed", join(folder, "link"));
    const storage = await volume.openForReading(join(folder, "link"));
    const into = new Uint8Array(8);
    expect(await storage.read(4, into)).toBe(6);
    expect(Buffer.from(into).toString()).toBe("456789\0\0");
    expect(await storage.size()).toBe(10);
    expect(await volume.isSameFile(image, storage)).toBe(true);
    await storage.close();
  });

  test("refuses what is no regular file", async () => {
    await expect(volume.openForReading(folder)).rejects.toThrow(/it is a folder; name an image file$/);
    await expect(volume.openForReading("/dev/null")).rejects.toMatchObject({ kind: "unsupported" });
  });

  test("names what is missing", async () => {
    await expect(volume.openForReading(join(folder, "none"))).rejects.toMatchObject({
      kind: "io",
      message: `Cannot open ${join(folder, "none")}: there is no such file (ENOENT)`,
      cause: { code: "ENOENT" },
    });
  });
});

describe("openForWriting", () => {
  test("writes, resizes, syncs", async () => {
    const storage = await volume.openForWriting(image);
    const before = await storage.fingerprint();
    await storage.write(8, Buffer.from("abc"));
    expect(await storage.fingerprint()).not.toBe(before);
    await storage.sync();
    expect(await readFile(image, "utf8")).toBe("01234567abc");
    await storage.resize(2);
    await storage.resize(4);
    await storage.close();
    expect(await readFile(image, "utf8")).toBe("01\0\0");
  });

  test("never through a symbolic link", async () => {
    await symlink("disk.qed", join(folder, "link"));
    await expect(volume.openForWriting(join(folder, "link"))).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringMatching(/it is a symbolic link; name the file that it points to$/),
    });
  });

  test("nor where a link takes the file's place after the look at the name", async () => {
    const named = lstatSync(image, { bigint: true });
    await rename(image, join(folder, "real"));
    await symlink("real", image);
    vi.mocked(lstatSync).mockReturnValueOnce(named);
    await expect(volume.openForWriting(image)).rejects.toMatchObject({ cause: { code: "ELOOP" } });
  });

  test("nor where another file takes its place", async () => {
    const named = lstatSync(image, { bigint: true });
    await writeFile(join(folder, "other"), "");
    await rename(join(folder, "other"), image);
    vi.mocked(lstatSync).mockReturnValueOnce(named);
    await expect(volume.openForWriting(image)).rejects.toMatchObject({ kind: "changed-underneath" });
  });

  test("never a file with further hard links", async () => {
    await link(image, join(folder, "second"));
    await expect(volume.openForWriting(image)).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringMatching(/the file has 2 names \(hard links\); copy it to one of its own$/),
    });
    expect((await volume.facts(image))?.linkCount).toBe(2);
  });

  test("a pipe is refused, not waited for", async () => {
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [join(folder, "pipe")]);
    await expect(volume.openForWriting(join(folder, "pipe"))).rejects.toMatchObject({ kind: "unsupported" });
    await expect(volume.openForReading(join(folder, "pipe"))).rejects.toMatchObject({ kind: "unsupported" });
  });
});

describe("names", () => {
  test("are made once, for the owner alone", async () => {
    const path = join(folder, "disk.qed.inplace-lock");
    const lock = await volume.createExclusively(path);
    expect(lock).toBeDefined();
    await lock?.write(0, Buffer.from("x"));
    await lock?.close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await volume.createExclusively(path)).toBeUndefined();
    expect(await readFile(path, "utf8")).toBe("x");
  });

  test("a dangling link is a taken name, never followed", async () => {
    await symlink("elsewhere", join(folder, "journal"));
    expect(await volume.createExclusively(join(folder, "journal"))).toBeUndefined();
    expect(await volume.facts(join(folder, "elsewhere"))).toBeUndefined();
    expect((await volume.facts(join(folder, "journal")))?.kind).toBe("symlink");
  });

  test("are renamed and removed", async () => {
    await writeFile(join(folder, "other"), "other");
    await volume.rename(image, join(folder, "other"));
    expect(await readFile(join(folder, "other"), "utf8")).toBe("0123456789");
    await expect(volume.rename(image, "x")).rejects.toMatchObject({ kind: "io", cause: { code: "ENOENT" } });
    await volume.remove(join(folder, "other"));
    await volume.remove(join(folder, "other"));
    expect(await volume.facts(join(folder, "other"))).toBeUndefined();
    expect((await volume.facts(folder))?.kind).toBe("folder");
  });

  test("no longer name the file after another took the name", async () => {
    const storage = await volume.openForWriting(image);
    expect(await volume.isSameFile(image, storage)).toBe(true);
    await rename(image, join(folder, "moved"));
    expect(await volume.isSameFile(image, storage)).toBe(false);
    await writeFile(image, "0123456789");
    expect(await volume.isSameFile(image, storage)).toBe(false);
    await storage.close();
  });

  test("a storage from elsewhere is never the same file", async () => {
    expect(await volume.isSameFile(image, memoryStorage(new Uint8Array(10), image))).toBe(false);
  });
});

describe("syncFolderOf", () => {
  test("syncs the folder", async () => {
    const fresh = new FileVolume();
    await fresh.syncFolderOf(image);
    expect(fresh.notes).toEqual([]);
  });

  test("a file system that can't is noted once", async () => {
    const fresh = new FileVolume();
    for (let round = 0; round < 2; round++) {
      vi.mocked(openHandle).mockRejectedValueOnce(systemError("EINVAL"));
      await fresh.syncFolderOf(image);
    }
    expect(fresh.notes).toEqual([expect.stringMatching(/folders can't be synced/)]);
  });

  test("a failed sync is an error", async () => {
    vi.mocked(openHandle).mockRejectedValueOnce(systemError("EIO"));
    await expect(volume.syncFolderOf(image)).rejects.toMatchObject({ kind: "io", operation: "sync the folder" });
  });
});

test("freeSpace is a number of bytes", async () => {
  const free = await volume.freeSpace(image);
  expect(free).toBeGreaterThanOrEqual(0);
  expect(Number.isFinite(free)).toBe(true);
});

test("permissions are explained", async () => {
  if (process.getuid?.() === 0) return;
  await chmod(image, 0o400);
  await expect(volume.openForWriting(image)).rejects.toThrow(/permission denied \(EACCES\)/);
});

test("a folder in the way of a name is an error, not an absence", async () => {
  await mkdir(join(folder, "sub"));
  await expect(volume.remove(join(folder, "sub"))).rejects.toMatchObject({ kind: "io" });
  expect(await volume.facts(join(image, "below"))).toBeUndefined();
});
