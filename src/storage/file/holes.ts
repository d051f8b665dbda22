/** Where a file holds data, as Linux tells by SEEK_DATA and SEEK_HOLE (lseek(2)): Node has no call for either. */

import { KiB } from "../../bytes/align.ts";
import { type Range, RangeSet } from "../../bytes/range-set.ts";
import { areZeros } from "../zeros.ts";
import { readDescriptor } from "./descriptor.ts";
import { spread } from "./spread.ts";
import { askTool, INHERITED, INHERITED_PATH, type ToolHost, type ToolWords } from "./tool-process.ts";

/** `sysseek` answers 0 as "0 but true". Seeking data past the last ends with ENXIO, which is 6. */
const PERL = `open my $f, "<&=", ${INHERITED} or exit 1;
my $at = 0;
while (defined(my $data = sysseek $f, $at, 3)) {
  defined(my $hole = sysseek $f, $data + 0, 4) or exit 1;
  $at = $hole + 0;
  print $data + 0, " $at\\n";
}
$! + 0 == 6 or exit 1;
print "end\\n";`;

const PYTHON = `import os
at = 0
try:
    while True:
        data = os.lseek(${INHERITED}, at, 3)
        at = os.lseek(${INHERITED}, data, 4)
        print(data, at)
except OSError as error:
    if error.errno != 6: raise
print("end")`;

/** One way to ask: what a line tells, a range of data, that it is the last one, or both. */
interface Question {
  readonly words: ToolWords;
  parse(line: string): Told;
}

interface Told {
  readonly data?: Range;
  readonly isLast: boolean;
}

const QUESTIONS: readonly Question[] = [
  { words: ["perl", "-e", PERL], parse: seekLine },
  { words: ["python3", "-I", "-S", "-c", PYTHON], parse: seekLine },
  { words: ["qemu-img", "map", "-U", "--output=json", "-f", "raw", INHERITED_PATH], parse: mapLine },
];

/** Asking changes nothing, so that who takes too long is ended. */
const TIMEOUT_MS = 300_000;
/** More ranges are joined over their shortest holes, so that no file takes more memory than this many. */
const MAX_RANGES = 262_144;
const FIRST_HOLE_TO_JOIN = 64 * KiB;
/** Of so many holes the first and the last bytes are read: a host that calls data a hole is not believed at all. */
const MAX_SAMPLES = 64;
const SAMPLE_SIZE = 4 * KiB;

/** Undefined where nothing at hand can tell. `size` is the file's. */
export async function dataRangesOf(
  descriptor: number,
  path: string,
  size: number,
  host: ToolHost,
  maxRanges = MAX_RANGES,
): Promise<RangeSet | undefined> {
  if (size === 0) return new RangeSet();
  if (host.platform !== "linux") return undefined;
  for (const { words, parse } of QUESTIONS) {
    const talk = async ({ lines }: { readonly lines: AsyncIterable<string> }) => {
      const told = new ToldRanges(size, maxRanges);
      let isWhole = false;
      for await (const line of lines) {
        const { data, isLast }: Told = isWhole ? badLine() : parse(line);
        if (data !== undefined) told.add(data);
        isWhole = isLast;
      }
      return isWhole ? told.ranges : badLine();
    };
    const ranges = await askTool(words, descriptor, host, talk, TIMEOUT_MS);
    if (ranges !== undefined && holesAreZeros(descriptor, path, ranges, size)) return ranges;
  }
  return undefined;
}

function badLine(): never {
  throw new Error("that is no answer");
}

function seekLine(line: string): Told {
  if (line === "end") return { isLast: true };
  const [, start, end] = /^(\d{1,16}) (\d{1,16})$/.exec(line) ?? badLine();
  return { data: { start: Number(start), end: Number(end) }, isLast: false };
}

const MAP_ENTRY = /^\[?\{ "start": (\d{1,16}), "length": (\d{1,16}),.* "data": (true|false).*\}([\],])$/;

/** A line for each entry of the list, the last one with its bracket. What lies past the file's size, up to a whole sector, is no data. */
function mapLine(line: string): Told {
  const [, start, length, isData, end] = MAP_ENTRY.exec(line) ?? badLine();
  const data = { start: Number(start), end: Number(start) + Number(length) };
  return { ...(isData === "true" ? { data } : {}), isLast: end === "]" };
}

/** What was told, checked to be ranges that ascend, and joined where they are too many. */
class ToldRanges {
  ranges = new RangeSet();
  readonly #size: number;
  readonly #maxCount: number;
  #count = 0;
  #end = 0;
  /** Shorter holes are data. */
  #joined = 0;

  constructor(size: number, maxCount: number) {
    this.#size = size;
    this.#maxCount = maxCount;
  }

  add({ start, end }: Range): void {
    if (!Number.isSafeInteger(end) || start < this.#end || end <= start) badLine();
    this.#append(start, end);
    while (this.#count > this.#maxCount) this.#coarsen();
  }

  #append(start: number, end: number): void {
    if (start >= this.#size) return;
    const isJoined = this.#count > 0 && start - this.#end <= this.#joined;
    if (!isJoined) this.#count++;
    this.ranges.add(isJoined ? this.#end : start, Math.min(end, this.#size));
    this.#end = end;
  }

  #coarsen(): void {
    const before = this.ranges;
    this.#joined = Math.max(FIRST_HOLE_TO_JOIN, this.#joined * 2);
    this.ranges = new RangeSet();
    this.#count = 0;
    for (const { start, end } of before.each()) this.#append(start, end);
  }
}

function holesAreZeros(descriptor: number, path: string, data: RangeSet, size: number): boolean {
  for (const { start, end } of spread(() => data.gapsIn(0, size), MAX_SAMPLES)) {
    for (const from of [start, Math.max(start, end - SAMPLE_SIZE)]) {
      const sample = Buffer.alloc(Math.min(SAMPLE_SIZE, end - from));
      const count = readDescriptor(descriptor, from, sample, path);
      if (!areZeros(sample.subarray(0, count))) return false;
    }
  }
  return true;
}
