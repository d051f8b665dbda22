/**
 * The folder on disk: opens images so that no link is followed to a write, and makes names durable.
 *
 * What only looks at a name or an open file blocks (docs/decisions/looks-that-block.md); what makes, removes, syncs, reads
 * or writes does not.
 */

import {
  accessSync,
  type BigIntStats,
  constants,
  fstatSync,
  lstatSync,
  realpathSync,
  statfsSync,
  statSync,
} from "node:fs";
import { chmod, chown, copyFile, type FileHandle, link, open, readdir, rename, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { codeOf, hostError } from "../host-error.ts";
import {
  type FileFacts,
  type Look,
  type OtherUsers,
  type Storage,
  SYNC,
  type Volume,
  type WritableStorage,
} from "../storage.ts";
import { findLockHolders, findOtherUsers } from "../users/in-use.ts";
import { type FileHost, FileStorage } from "./file-storage.ts";
import { SYSTEM_TOOLS, type ToolHost } from "./tool-process.ts";

/** Absent on Windows, whose names are looked at with lstat before and after instead. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
/** Keeps `open` from waiting for the other end of a pipe that someone put in the image's place. */
const NO_WAIT = constants.O_NONBLOCK ?? 0;

/** What syncing a folder says where the platform or the file system can't; anything else is a failed sync. */
const CANNOT_SYNC_FOLDERS: ReadonlySet<string> = new Set(
  process.platform === "win32"
    ? ["EPERM", "EACCES", "EISDIR", "EINVAL", "ENOTSUP", "ENOSYS"]
    : ["EINVAL", "ENOTSUP", "ENOSYS"],
);

/** What a second name for a file says where the file system, or a rule of the system, has none: FAT, some servers. */
const CANNOT_LINK: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EISDIR"]);

/**
 * `f_type` of file systems whose times change with a write and never by a later flush: seen on each of them
 * (scripts/file-systems.ts). ext2 to ext4, XFS, btrfs, tmpfs, overlayfs.
 */
const EXACT_TIMES: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630]);

export class FileVolume implements Volume {
  /** What this platform could not do, one phrase each, for the output. */
  readonly notes: string[] = [];
  readonly #host: FileHost;

  /** @param tools what asks for holes and punches them, where it is looked for */
  constructor(tools: ToolHost = SYSTEM_TOOLS) {
    this.#host = { tools, note: (text) => this.#note(text) };
  }

  async openForReading(path: string): Promise<Storage> {
    // Looked at by name first: merely opening a device can have effects.
    refuseUnlessRegular(
      path,
      attempt("open", path, () => statSync(path, { bigint: true })),
    );
    const handle = await awaited("open", path, () => open(path, constants.O_RDONLY | NO_WAIT));
    return keepOrClose(handle, async () => {
      refuseUnlessRegular(
        path,
        attempt("open", path, () => fstatSync(handle.fd, { bigint: true })),
      );
      return new FileStorage(path, handle, this.#host);
    });
  }

  async openForWriting(path: string): Promise<WritableStorage> {
    const named = attempt("open", path, () => lstatSync(path, { bigint: true }));
    refuseUnlessRegular(path, named);
    const handle = await awaited("open", path, () => open(path, constants.O_RDWR | NO_FOLLOW | NO_WAIT));
    return keepOrClose(handle, async () => {
      const opened = attempt("open", path, () => fstatSync(handle.fd, { bigint: true }));
      refuseUnlessRegular(path, opened);
      if (opened.ino !== named.ino || opened.dev !== named.dev) {
        throw new ImageError("changed-underneath", say`Cannot open ${imageNamed(path)}`, {
          because: "another file took its place",
          remedy: "try again",
          path,
          operation: "open",
        });
      }
      if (opened.nlink > 1n) throw hardLinked(path, opened);
      return new FileStorage(path, handle, { ...this.#host, hasLateFingerprint: !hasExactTimes(path) });
    });
  }

  async obstaclesToWriting(path: string): Promise<readonly ImageError[]> {
    const found: ImageError[] = [];
    const gathered = <T>(look: () => T): T | undefined => {
      try {
        return attempt("open", path, look);
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        found.push(error);
        return undefined;
      }
    };
    const facts = gathered(() => lstatSync(path, { bigint: true }));
    if (facts === undefined) return found;
    // The permissions of what isn't opened are no matter.
    if (!facts.isFile()) return [irregular(path, facts)];
    if (facts.nlink > 1n) found.push(hardLinked(path, facts));
    gathered(() => accessSync(path, constants.R_OK | constants.W_OK));
    return found;
  }

  async createExclusively(path: string, like?: string): Promise<WritableStorage | undefined> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW;
    try {
      const handle = await open(path, flags, 0o600);
      if (like !== undefined) await becomeLike(handle, like).catch(() => {});
      return new FileStorage(path, handle, this.#host);
    } catch (error) {
      if (codeOf(error) === "EEXIST") return undefined;
      throw hostError(error, "create", path);
    }
  }

  /** A reflink: XFS, btrfs, APFS and others. What can't have the image's owner and mode is no copy to put back. */
  async clone(storage: Storage, to: string): Promise<WritableStorage | undefined> {
    const { path } = storage;
    try {
      await copyFile(path, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    } catch (error) {
      if (codeOf(error) === "EEXIST") throw hostError(error, "create", to);
      return undefined;
    }
    let copy: WritableStorage | undefined;
    try {
      const [from, made] = [statSync(path), statSync(to)];
      if (from.uid !== made.uid || from.gid !== made.gid) await chown(to, from.uid, from.gid);
      if (from.mode !== statSync(to).mode) await chmod(to, from.mode & 0o7777);
      copy = await this.openForWriting(to);
      if (await this.isSameFile(path, storage)) return copy;
    } catch {
      // Removed below.
    }
    await copy?.close().catch(() => {});
    await this.remove(to);
    return undefined;
  }

  /** Windows tells nothing of a folder's permissions beforehand. */
  async obstacleToCreating(path: string): Promise<ImageError | undefined> {
    try {
      // What the system says of the name, that it is too long for one, it would say then too.
      lstatSync(path, { throwIfNoEntry: false });
      accessSync(dirname(path), constants.W_OK | constants.X_OK);
      return undefined;
    } catch (error) {
      return hostError(error, "create", path);
    }
  }

  async facts(path: string): Promise<FileFacts | undefined> {
    try {
      const facts = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (facts === undefined) return undefined;
      return {
        kind: kindOf(facts),
        size: Number(facts.size),
        linkCount: Number(facts.nlink),
        allocatedSize: Number(facts.blocks) * 512,
      };
    } catch (error) {
      // Nothing has a name that nothing can have.
      if (["ENOTDIR", "ENAMETOOLONG"].includes(codeOf(error) ?? "")) return undefined;
      throw hostError(error, "look at", path);
    }
  }

  async realPath(path: string): Promise<string> {
    return attempt("look at", path, () => realpathSync.native(path));
  }

  async realFolderOf(path: string): Promise<string> {
    const folder = dirname(resolve(path));
    const real = attempt("find the folder", folder, () => realpathSync.native(folder));
    if (attempt("find the folder", folder, () => statSync(folder)).isDirectory()) return real;
    throw new ImageError("io", `Cannot find the folder ${folder}`, {
      because: "that is a file",
      path,
      operation: "open",
    });
  }

  async rename(from: string, to: string): Promise<void> {
    await awaited("rename", from, () => rename(from, to));
  }

  async link(from: string, to: string): Promise<boolean> {
    try {
      await link(from, to);
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      if (!CANNOT_LINK.has(codeOf(error) ?? "")) throw hostError(error, "link", from);
    }
    const taken = await this.createExclusively(to);
    if (taken === undefined) return false;
    try {
      await taken.close();
      await this.rename(from, to);
    } catch (error) {
      await this.remove(to);
      throw error;
    }
    return true;
  }

  async namesBeside(path: string): Promise<readonly string[]> {
    const folder = dirname(resolve(path));
    return awaited("look into the folder", folder, () => readdir(folder));
  }

  async remove(path: string): Promise<void> {
    try {
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) await unlink(path);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw hostError(error, "remove", path);
    }
  }

  async syncFolderOf(path: string): Promise<void> {
    const folder = dirname(path);
    let handle: FileHandle | undefined;
    try {
      handle = await open(folder, constants.O_RDONLY);
      await handle.sync();
    } catch (error) {
      if (!CANNOT_SYNC_FOLDERS.has(codeOf(error) ?? "")) throw hostError(error, SYNC.folder, folder);
      this.#note("the names of new files could not be made durable: folders can't be synced here");
    } finally {
      await handle?.close();
    }
  }

  async freeSpace(path: string): Promise<number> {
    try {
      const { bavail, blocks, bsize } = statfsSync(dirname(path));
      // Some network and FUSE file systems answer with nothing but zeros.
      return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
    } catch {
      this.#note("the free space of the file system is unknown");
      return Number.POSITIVE_INFINITY;
    }
  }

  async otherUsers(storage: Storage, look: Look = "anew"): Promise<OtherUsers> {
    if (!(storage instanceof FileStorage)) return { found: [], blind: ["all of it: the image is no file on disk"] };
    const identity = await storage.identity();
    if (look === "locks") return findLockHolders(identity);
    // Our own tools are no others. They hold no locks.
    await storage.restTools();
    return findOtherUsers(storage.path, identity, look);
  }

  async isSameFile(path: string, storage: Storage): Promise<boolean> {
    if (!(storage instanceof FileStorage)) return false;
    const identity = await storage.identity();
    const named = attempt("look at", path, () => statSync(path, { bigint: true, throwIfNoEntry: false }));
    return named !== undefined && named.ino === identity.inode && named.dev === identity.device;
  }

  #note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }
}

/** Who may read what; that it is somebody else's is only for root to say. */
async function becomeLike(handle: FileHandle, like: string): Promise<void> {
  const { mode, uid, gid } = statSync(like);
  await handle.chmod(mode & 0o666);
  await handle.chown(uid, gid);
}

function kindOf(facts: BigIntStats): FileFacts["kind"] {
  if (facts.isFile()) return "file";
  if (facts.isDirectory()) return "folder";
  return facts.isSymbolicLink() ? "symlink" : "other";
}

function refuseUnlessRegular(path: string, facts: BigIntStats): void {
  if (!facts.isFile()) throw irregular(path, facts);
}

function irregular(path: string, facts: BigIntStats): ImageError {
  return new ImageError("unsupported", say`Cannot open ${imageNamed(path)}`, {
    ...whatInstead(facts),
    path,
    operation: "open",
  });
}

function hardLinked(path: string, { nlink }: BigIntStats): ImageError {
  return new ImageError("unsupported", say`Cannot convert ${imageNamed(path)} in place`, {
    because: `the file has ${nlink} names (hard links)`,
    remedy: "copy it to one of its own",
    path,
    operation: "open",
  });
}

function whatInstead(facts: BigIntStats): { readonly because: string; readonly remedy: string } {
  if (facts.isSymbolicLink()) return { because: "it is a symbolic link", remedy: "name the file that it points to" };
  const remedy = "name an image file";
  if (facts.isDirectory()) return { because: "it is a folder", remedy };
  if (facts.isBlockDevice()) return { because: "it is a block device", remedy };
  return { because: "it is no regular file", remedy };
}

function attempt<T>(operation: string, path: string, perform: () => T): T {
  try {
    return perform();
  } catch (error) {
    throw hostError(error, operation, path);
  }
}

async function awaited<T>(operation: string, path: string, perform: () => Promise<T>): Promise<T> {
  try {
    return await perform();
  } catch (error) {
    throw hostError(error, operation, path);
  }
}

/** Closes the handle where what follows its opening throws. */
async function keepOrClose<T>(handle: FileHandle, inspect: () => Promise<T>): Promise<T> {
  try {
    return await inspect();
  } catch (error) {
    await handle.close().catch(() => {});
    throw error;
  }
}

/** Elsewhere (network file systems, other platforms) another writer is noticed between barriers, not between writes. */
function hasExactTimes(path: string): boolean {
  if (process.platform !== "linux") return false;
  try {
    return EXACT_TIMES.has(statfsSync(path).type);
  } catch {
    return false;
  }
}
