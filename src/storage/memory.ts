/** Files in memory behind the same doors as files on disk: for tests of formats, of the engine and of power cuts. */

import { posix } from "node:path";
import { hex, ImageError } from "../bytes/image-error.ts";
import { type Range, RangeSet } from "../bytes/range-set.ts";
import { imageNamed, say } from "../bytes/sentence.ts";
import type { FileFacts, OtherUsers, Storage, Volume, WritableStorage } from "./storage.ts";

/** A memory file system tells of holes, where it is told to, by blocks of this size. */
const BLOCK = Buffer.alloc(4096);
const NO_OTHER_USERS: OtherUsers = { found: [], blind: [] };

/** In bytes. No file here has holes: what is longer on a disk, and mostly holes, is too large for this one. */
const MAX_SIZE = 2 ** 32;

/** One file's bytes, apart from its name: a rename moves it, and what is open stays open after a removal. */
class MemoryFile {
  size: number;
  changeCount = 0;
  #buffer: Uint8Array;

  constructor(bytes: Uint8Array) {
    // Not by slice, which of a Buffer is the same memory.
    this.#buffer = new Uint8Array(bytes);
    this.size = bytes.length;
  }

  read(from: number, into: Uint8Array): number {
    const count = Math.max(0, Math.min(into.length, this.size - from));
    into.set(this.#buffer.subarray(from, from + count));
    return count;
  }

  write(to: number, bytes: Uint8Array): void {
    this.changeCount++;
    if (bytes.length === 0) return;
    if (to + bytes.length > this.size) this.#grow(to + bytes.length);
    this.#buffer.set(bytes, to);
  }

  resize(size: number): void {
    this.changeCount++;
    // What a shorter file gives up must read as zeros when it grows again.
    if (size < this.size) this.#buffer.fill(0, size, this.size);
    else this.#grow(size);
    this.size = size;
  }

  punch({ start, end }: Range): void {
    this.changeCount++;
    this.#buffer.fill(0, Math.min(start, this.size), Math.min(end, this.size));
  }

  /** The blocks that are not all zeros. */
  dataRanges(): RangeSet {
    const ranges = new RangeSet();
    for (let start = 0; start < this.size; start += BLOCK.length) {
      const end = Math.min(start + BLOCK.length, this.size);
      if (BLOCK.compare(this.#buffer, start, end, 0, end - start) !== 0) ranges.add(start, end);
    }
    return ranges;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer.subarray(0, this.size));
  }

  #grow(size: number): void {
    if (size > this.#buffer.length) {
      const wider = new Uint8Array(Math.max(size, this.#buffer.length * 2));
      wider.set(this.#buffer);
      this.#buffer = wider;
    }
    this.size = Math.max(this.size, size);
  }
}

/** What an open file in memory does with holes; by default it tells none and punches as asked. */
interface MemoryHoles {
  readonly tellsHoles?: boolean;
  readonly canPunch?: boolean;
}

/** An open file of a MemoryVolume. Every use after `close` is an error, as it is with a descriptor. */
export class MemoryStorage implements WritableStorage {
  readonly path: string;
  readonly dataRanges?: () => Promise<RangeSet | undefined>;
  readonly punch?: (ranges: RangeSet) => Promise<RangeSet>;
  readonly #file: MemoryFile;
  #closed = false;

  constructor(path: string, file: MemoryFile, { tellsHoles, canPunch }: MemoryHoles = {}) {
    this.path = path;
    this.#file = file;
    if (tellsHoles) this.dataRanges = () => this.#dataRanges();
    if (canPunch ?? true) this.punch = (ranges) => this.#punch(ranges);
  }

  async size(): Promise<number> {
    this.#refuseClosed("read the size of");
    return this.#file.size;
  }

  async read(hostOffset: number, into: Uint8Array): Promise<number> {
    this.#refuseClosed("read");
    refuseBadAddress(this.path, "read", hostOffset);
    return this.#file.read(hostOffset, into);
  }

  async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    this.#refuseClosed("write to");
    refuseBadAddress(this.path, "write to", hostOffset);
    refuseTooLong(this.path, "write to", hostOffset + bytes.length);
    this.#file.write(hostOffset, bytes);
  }

  async resize(size: number): Promise<void> {
    this.#refuseClosed("resize");
    refuseBadAddress(this.path, "resize", size);
    refuseTooLong(this.path, "resize", size);
    this.#file.resize(size);
  }

  async #dataRanges(): Promise<RangeSet> {
    this.#refuseClosed("look at");
    return this.#file.dataRanges();
  }

  async #punch(ranges: RangeSet): Promise<RangeSet> {
    this.#refuseClosed("punch holes into");
    for (const range of ranges.each()) {
      for (const place of [range.start, range.end]) refuseBadAddress(this.path, "punch holes into", place);
      this.#file.punch(range);
    }
    return new RangeSet();
  }

  async sync(): Promise<void> {
    this.#refuseClosed("sync");
  }

  async fingerprint(): Promise<string> {
    this.#refuseClosed("look at");
    return `${this.#file.size}:${this.#file.changeCount}`;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** True where both are open on the same file, whatever its name is now. */
  isOn(file: unknown): boolean {
    return this.#file === file;
  }

  #refuseClosed(verb: string): void {
    if (this.#closed) {
      throw new ImageError("io", say`Cannot ${verb} ${imageNamed(this.path)}`, {
        because: "it is closed",
        path: this.path,
        operation: verb,
      });
    }
  }
}

/** A folder in memory. Paths are taken as they are, without resolving `..` or links. */
export class MemoryVolume implements Volume {
  readonly #files = new Map<string, MemoryFile>();
  /** What `freeSpace` answers, in bytes. */
  free = Number.POSITIVE_INFINITY;
  /** What `otherUsers` answers. */
  users: OtherUsers = NO_OTHER_USERS;
  /** Whether files opened from now on tell which of their blocks of 4 KiB are not all zeros. */
  tellsHoles = false;
  /** Whether files opened from now on can give space back. */
  canPunch = true;

  /** `files` maps paths to contents, which are copied. */
  constructor(files: Readonly<Record<string, Uint8Array>> = {}) {
    for (const [path, bytes] of Object.entries(files)) this.#files.set(path, new MemoryFile(bytes));
  }

  /** A copy of a file's bytes as they are now; throws kind `io` where there is no such file. */
  snapshot(path: string): Uint8Array<ArrayBuffer> {
    return this.#find(path, "read").bytes();
  }

  /** Copies of all files, by path. */
  snapshots(): Record<string, Uint8Array<ArrayBuffer>> {
    return Object.fromEntries([...this.#files].map(([path, file]) => [path, file.bytes()]));
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  async openForReading(path: string): Promise<Storage> {
    return new MemoryStorage(path, this.#find(path, "open"), this);
  }

  async openForWriting(path: string): Promise<WritableStorage> {
    return new MemoryStorage(path, this.#find(path, "open"), this);
  }

  /** What `obstaclesToWriting` answers. */
  obstacles: readonly ImageError[] = [];
  /** What `obstacleToCreating` answers. */
  obstacle: ImageError | undefined;

  async obstaclesToWriting(_path: string): Promise<readonly ImageError[]> {
    return this.obstacles;
  }

  async obstacleToCreating(_path: string): Promise<ImageError | undefined> {
    return this.obstacle;
  }

  async createExclusively(path: string): Promise<WritableStorage | undefined> {
    if (this.#files.has(path)) return undefined;
    const file = new MemoryFile(new Uint8Array(0));
    this.#files.set(path, file);
    return new MemoryStorage(path, file, this);
  }

  /** Whether copies can be made for nothing. */
  canClone = false;

  async clone(storage: Storage, to: string): Promise<WritableStorage | undefined> {
    const file = this.#files.get(storage.path);
    if (!this.canClone || file === undefined || this.#files.has(to)) return undefined;
    this.#files.set(to, new MemoryFile(file.bytes()));
    return this.openForWriting(to);
  }

  async facts(path: string): Promise<FileFacts | undefined> {
    const file = this.#files.get(path);
    if (file !== undefined) return { kind: "file", size: file.size, linkCount: 1 };
    const isFolder = [...this.#files.keys()].some((known) => known.startsWith(`${path}/`));
    return isFolder ? { kind: "folder", size: 0, linkCount: 1 } : undefined;
  }

  /** There are no links in memory; `..` and `.` are resolved. */
  async realPath(path: string): Promise<string> {
    const real = posix.normalize(path);
    this.#find(real, "look at");
    return real;
  }

  /** Folders come into being with their files, so each is there. */
  async realFolderOf(path: string): Promise<string> {
    return posix.dirname(posix.resolve(path));
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.#find(from, "rename");
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  async link(from: string, to: string): Promise<boolean> {
    const file = this.#find(from, "link");
    if (this.#files.has(to)) return false;
    this.#files.set(to, file);
    return true;
  }

  async namesBeside(path: string): Promise<readonly string[]> {
    const folder = posix.dirname(path);
    return [...this.#files.keys()]
      .filter((known) => posix.dirname(known) === folder)
      .map((known) => posix.basename(known));
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(path);
  }

  async syncFolderOf(_path: string): Promise<void> {}

  async freeSpace(_path: string): Promise<number> {
    return this.free;
  }

  async otherUsers(_storage: Storage): Promise<OtherUsers> {
    return this.users;
  }

  async isSameFile(path: string, storage: Storage): Promise<boolean> {
    const file = this.#files.get(path);
    return file !== undefined && storage instanceof MemoryStorage && storage.isOn(file);
  }

  #find(path: string, operation: string): MemoryFile {
    const file = this.#files.get(path);
    if (file === undefined) {
      const cause = Object.assign(new Error(`ENOENT: no such file or directory, ${operation} '${path}'`), {
        code: "ENOENT",
      });
      throw new ImageError("io", say`Cannot ${operation} ${imageNamed(path)}`, {
        because: "there is no such file",
        isMissing: true,
        path,
        operation,
        cause,
      });
    }
    return file;
  }
}

/** A read-only view of `bytes` (not copied) as an open file, for tests of formats. */
export function memoryStorage(bytes: Uint8Array, path = "memory"): Storage {
  return {
    path,
    size: async () => bytes.length,
    async read(hostOffset, into) {
      refuseBadAddress(path, "read", hostOffset);
      const count = Math.max(0, Math.min(into.length, bytes.length - hostOffset));
      into.set(bytes.subarray(hostOffset, hostOffset + count));
      return count;
    },
    close: async () => {},
  };
}

function refuseBadAddress(path: string, verb: string, hostOffset: number): void {
  if (!Number.isSafeInteger(hostOffset) || hostOffset < 0) {
    const place = Number.isInteger(hostOffset) ? hex(hostOffset) : String(hostOffset);
    throw new ImageError("out-of-bounds", say`Cannot ${verb} ${imageNamed(path)}`, {
      because: `${place} is no address in a file`,
      path,
      hostOffset,
      operation: verb,
    });
  }
}

/** As a file system does that is full. */
function refuseTooLong(path: string, verb: string, size: number): void {
  if (size <= MAX_SIZE) return;
  throw new ImageError("no-space", say`Cannot ${verb} ${imageNamed(path)}`, {
    because: `in memory no file is longer than ${MAX_SIZE} bytes`,
    path,
    operation: verb,
  });
}
