/**
 * One mutant through everything that reads or converts an image.
 *
 * What may come of it: an ImageError or a UsageError with nothing changed, or an image with the same guest. What may
 * not: any other error, work without bound, another guest, a file left behind.
 */

import { createHash } from "node:crypto";
import { ImageError, UsageError } from "../../src/bytes/image-error.ts";
import { convert, plan } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map } from "../../src/convert/reading/map.ts";
import { openImage } from "../../src/formats/registry.ts";
import { ExtentState } from "../../src/image/extent.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { checkOf } from "../../src/image/source.ts";
import { MemoryVolume, memoryStorage } from "../../src/storage/memory.ts";
import type { WritableStorage } from "../../src/storage/storage.ts";
import type { OptionTexts } from "../formats/kit.ts";
import { partnersOf, targets } from "../formats/kits.ts";
import { testHost } from "../support/crash-scenario.ts";
import type { Random } from "../support/random.ts";
import { WrappedStorage, WrappedVolume } from "../support/wrapped-volume.ts";
import type { FuzzSample } from "./samples.ts";

const PATH = "/vm/disk.img";
const ORIGINAL = "/vm/original.img";

/** A larger disk is not digested: the digest's work grows with the disk, as it must. */
const MAX_DIGESTED = 2 ** 36;
const MiB = 2 ** 20;

export interface Conversion {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  readonly sourceFormat: string;
  readonly targetFormat: string;
  readonly virtualSize: number;
  readonly options: ConvertOptions;
}

export interface TrialResult {
  /** What `convert` accepted, for another judge. */
  readonly conversion: Conversion | undefined;
  /** Kinds of errors met, for the statistics. */
  readonly outcomes: readonly string[];
  /** Calls and bytes of the busiest command. */
  readonly calls: number;
  readonly bytes: number;
}

export async function tryMutant(sample: FuzzSample, bytes: Uint8Array, random: Random): Promise<TrialResult> {
  const work = new WorkLimit(bytes.length + sample.bytes.length);
  const outcomes: string[] = [];
  const readOnly = new CountingVolume({ [PATH]: bytes, [ORIGINAL]: sample.bytes }, work);
  const format = random.chance(0.2) ? sample.kit.name : undefined;
  const named = format === undefined ? {} : { format };
  const attempt = async <T>(what: string, perform: () => Promise<T>): Promise<T | undefined> => {
    work.begin(what);
    try {
      const result = await perform();
      outcomes.push(`${what}: done`);
      return result;
    } catch (error) {
      expectRefusal(what, error);
      outcomes.push(`${what}: ${error instanceof ImageError ? error.kind : "usage"}`);
      return undefined;
    }
  };

  const described = await attempt("info", () => info(PATH, named, readOnly));
  const virtualSize = described?.virtualSize ?? 0;
  const isDigested = virtualSize <= MAX_DIGESTED;
  await attempt("map", () => map(PATH, named, readOnly));
  await attempt("check", async () => checkOf(await openImage(memoryStorage(bytes, PATH), format)));
  if (isDigested) {
    const algorithm = virtualSize <= 64 * MiB && random.chance(0.3) ? "sha256" : "blkhash-sha256";
    await attempt("checksum", () => checksum(PATH, { ...named, algorithm }, readOnly));
    await attempt("compare", () => compare(PATH, ORIGINAL, {}, readOnly));
  }
  const target = chooseTarget(sample, random);
  const options: ConvertOptions = {
    ...named,
    options: target.options,
    checksum: isDigested && random.chance(0.5) ? "blkhash-sha256" : "none",
    check: random.chance(0.7),
    ...(random.chance(0.2) && { keepLeaks: true }),
    ...(random.chance(0.2) && { drop: ["bitmaps", "snapshots"] }),
    ...(random.chance(0.1) && { keepUndo: true }),
  };
  await attempt("plan", () => plan(PATH, target.format, options, testHost(readOnly)));
  expectUntouched(readOnly, { [PATH]: bytes, [ORIGINAL]: sample.bytes });
  const conversion = await convertMutant(bytes, target.format, options, work, attempt);
  return { conversion, outcomes, calls: work.mostCalls, bytes: work.mostBytes };
}

async function convertMutant(
  bytes: Uint8Array,
  targetFormat: string,
  options: ConvertOptions,
  work: WorkLimit,
  attempt: <T>(what: string, perform: () => Promise<T>) => Promise<T | undefined>,
): Promise<Conversion | undefined> {
  const volume = new CountingVolume({ [PATH]: bytes }, work);
  const report = await attempt("convert", () => convert(PATH, targetFormat, options, testHost(volume)));
  if (report === undefined || !report.changed) {
    expectUntouched(volume, { [PATH]: bytes });
    return undefined;
  }
  const names = Object.keys(volume.memory.snapshots()).filter((name) => name !== PATH);
  const expected = options.keepUndo ? [`${PATH}.inplace-undo`] : [];
  if (names.join() !== expected.join()) throw new Error(`convert left ${names.join(", ")} behind`);
  const after = volume.memory.snapshot(PATH);
  const [seenBefore, seenAfter] = [await guestOf(bytes, report.sourceFormat), await guestOf(after, targetFormat)];
  if (seenBefore !== seenAfter) throw new Error(`convert changed the guest:\n${seenBefore}\n${seenAfter}`);
  const { virtualSize, sourceFormat } = report;
  return { before: bytes, after, sourceFormat, targetFormat, virtualSize, options };
}

function chooseTarget({ kit }: FuzzSample, random: Random): { format: string; options: OptionTexts } {
  const same = targets.filter(({ name }) => name === kit.name);
  const { name, target } = random.pick(random.chance(0.75) || same.length === 0 ? partnersOf(kit) : same);
  const options = Object.entries(random.pick(target.choices)).map(([option, values]) => [option, random.pick(values)]);
  return { format: name, options: Object.fromEntries(options) };
}

/** Sizes, states over a backing file, and every sector that is not zeros, in one digest; nothing of what a digest skips. */
async function guestOf(bytes: Uint8Array, format: string): Promise<string> {
  const image = await openImage(memoryStorage(bytes, PATH), format);
  const view = await openGuestView([image]);
  const reader = new GuestReader(view);
  const { backing } = image.getConversionOptions();
  const hash = createHash("sha256");
  let fallsThroughFrom = -1;
  for (let row = 0; row < view.table.count; row++) {
    const start = view.table.guestOffset[row] as number;
    const end = start + (view.table.length[row] as number);
    const state = view.table.state[row];
    const fallsThrough = backing !== undefined && state === ExtentState.unallocated;
    if (fallsThrough !== fallsThroughFrom >= 0) {
      hash.update(`${fallsThrough ? "below from" : "own from"} ${start};`);
      fallsThroughFrom = fallsThrough ? start : -1;
    }
    if (state !== ExtentState.data && state !== ExtentState.compressed) continue;
    for (let at = start; at < end; at += 512) {
      const sector = Buffer.alloc(Math.min(512, end - at));
      if (!(await isRead(reader, at, sector))) hash.update(`${at}: does not inflate`);
      else if (sector.some((byte) => byte !== 0)) hash.update(`${at}:`).update(sector);
    }
  }
  const name = backing === undefined ? "none" : Buffer.from(backing.nameBytes).toString("hex");
  return `${image.virtualSize} bytes, backing ${name}, ${hash.digest("hex")}`;
}

/** False where a stream is damaged, which no check looks into: nobody reads it before or after. */
async function isRead(reader: GuestReader, guestOffset: number, sector: Buffer): Promise<boolean> {
  try {
    await reader.read(guestOffset, sector);
    return true;
  } catch (error) {
    if (error instanceof ImageError && error.structure === "compressed cluster") return false;
    throw error;
  }
}

function expectRefusal(what: string, error: unknown): void {
  if (error instanceof UsageError) return;
  if (!(error instanceof ImageError)) throw new Error(`${what} failed with ${String(error)}`, { cause: error });
  if (!/^Cannot .*[^.]$/s.test(error.message)) throw new Error(`${what} says badly: ${error.message}`);
  if (error.journal !== undefined) throw new Error(`${what} left a journal: ${error.message}`, { cause: error });
}

function expectUntouched(volume: CountingVolume, files: Readonly<Record<string, Uint8Array>>): void {
  const found = volume.memory.snapshots();
  const names = Object.keys(found).sort().join(", ");
  if (names !== Object.keys(files).sort().join(", ")) throw new Error(`files afterwards: ${names}`);
  for (const [path, bytes] of Object.entries(files)) {
    if (Buffer.compare(found[path] as Uint8Array, bytes) !== 0) throw new Error(`${path} was changed`);
  }
}

/** Counted, so that no machine is too slow for it. */
class WorkLimit {
  readonly #maxCalls: number;
  readonly #maxBytes: number;
  #what = "";
  #calls = 0;
  #bytes = 0;
  mostCalls = 0;
  mostBytes = 0;

  constructor(fileSize: number) {
    // The format allows 65,535 snapshots, each with a table to read.
    this.#maxCalls = 150_000 + Math.ceil(fileSize / 64);
    // A hostile disk can still ask for an L1 table of 32 MiB, which is written, read, verified and digested.
    this.#maxBytes = 64 * fileSize + 512 * MiB;
  }

  begin(what: string): void {
    this.#what = what;
    this.#calls = 0;
    this.#bytes = 0;
  }

  count(bytes: number): void {
    this.#calls++;
    this.#bytes += bytes;
    this.mostCalls = Math.max(this.mostCalls, this.#calls);
    this.mostBytes = Math.max(this.mostBytes, this.#bytes);
    if (this.#calls > this.#maxCalls) throw new RangeError(`${this.#what} made more than ${this.#maxCalls} calls`);
    if (this.#bytes > this.#maxBytes) throw new RangeError(`${this.#what} moved more than ${this.#maxBytes} bytes`);
  }
}

class CountingVolume extends WrappedVolume {
  readonly memory: MemoryVolume;
  readonly #work: WorkLimit;

  constructor(files: Readonly<Record<string, Uint8Array>>, work: WorkLimit) {
    const memory = new MemoryVolume(files);
    super(memory);
    this.memory = memory;
    this.#work = work;
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    return new CountingStorage(storage, this.#work);
  }
}

class CountingStorage extends WrappedStorage {
  readonly #work: WorkLimit;

  constructor(inner: WritableStorage, work: WorkLimit) {
    super(inner);
    this.#work = work;
  }

  override async read(hostOffset: number, into: Uint8Array): Promise<number> {
    this.#work.count(into.length);
    return super.read(hostOffset, into);
  }

  override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    this.#work.count(bytes.length);
    return super.write(hostOffset, bytes);
  }
}
