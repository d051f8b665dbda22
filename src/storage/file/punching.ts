/**
 * Space of a file given back to Linux, by fallocate(2) with FALLOC_FL_PUNCH_HOLE and FALLOC_FL_KEEP_SIZE: Node has no call
 * for it. One process works on the open file itself and takes the ranges a few at a time:
 *
 *   us     0 65536 | 131072 4096 131072 ... | ...        it never has more before it than one handful, so that little
 *   tool   y       | y y n ...              | ...        happens after us where we are killed; and it is killed with us
 *
 * After the first range, and behind the last, bytes around the ranges are compared with what they were.
 */

import { GiB } from "../../bytes/align.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { type Range, RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { Samples } from "./punch-samples.ts";
import {
  askTool,
  type Conversation,
  INHERITED,
  INHERITED_PATH,
  type RunningTool,
  startTool,
  type ToolHost,
  type ToolWords,
} from "./tool-process.ts";

/** `syscall` takes a string for a pointer, so that everything is made a number first; the numbers are of the machine that perl was made for. */
const PERL = `use Config;
my ($machine) = $Config{archname} =~ /^(\\w+?)-linux/;
my $calls = { x86_64 => [285, 157], aarch64 => [47, 167], riscv64 => [47, 167] }->{$machine || ""};
$calls && $Config{ptrsize} == 8 && $Config{ivsize} == 8 or exit 1;
my ($fallocate, $prctl) = @$calls;
syscall($prctl, 1, 9);
getppid() == 0 + $ARGV[0] or exit 1;
$| = 1;
print "ready\\n";
while (<STDIN>) {
  /^(\\d+) (\\d+)$/ or exit 1;
  my ($start, $length) = (0 + $1, 0 + $2);
  $length > 0 or exit 1;
  print syscall($fallocate, ${INHERITED}, 3, $start, $length) == 0 ? "y\\n" : "n\\n";
}`;

const PYTHON = `import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.prctl(1, ctypes.c_ulong(9))
if os.getppid() != int(sys.argv[1]): sys.exit(1)
call = getattr(libc, "fallocate64", None) or libc.fallocate
call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
print("ready", flush=True)
for line in sys.stdin:
    start, length = map(int, line.split())
    print("n" if call(${INHERITED}, 3, start, length) else "y", flush=True)`;

/** Tools that take ranges by their input. */
const TOOLS: readonly ((parent: string) => ToolWords)[] = [
  (parent) => ["perl", "-e", PERL, parent],
  (parent) => ["python3", "-I", "-S", "-c", PYTHON, parent],
];

/** A process each takes some ten milliseconds. */
const MAX_PROCESSES = 16;
/** Ranges before the tool at once. */
const HANDFUL = 64;
/** What one call gives back, so that none takes long. */
const MAX_PIECE = GiB;
/** Nothing takes so long but a tool that was stopped: it is ended, and what it was asked for is asked of the next. */
const PATIENCE_MS = 120_000;

/** Punches into one open file, by a tool that goes on from one call to the next. */
export class Puncher {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #host: ToolHost;
  readonly #patience: number;
  #tool: RunningTool | undefined;

  constructor(descriptor: number, path: string, host: ToolHost, patience = PATIENCE_MS) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#host = host;
    this.#patience = patience;
  }

  /**
   * As `WritableStorage.punch`. `size`: of the file. What can't be done, for whatever reason, is answered and no error.
   *
   * @throws ImageError `io` where bytes changed that were none of the ranges', `out-of-bounds` for what is no range
   */
  async punch(size: number, ranges: RangeSet): Promise<RangeSet> {
    refuseNoRanges(this.#path, ranges);
    const wanted = ranges.clippedTo(0, size);
    if (wanted.end === 0 || this.#host.platform !== "linux") return wanted;
    const samples = new Samples({ descriptor: this.#descriptor, path: this.#path, size }, wanted);
    for (const wordsFor of TOOLS) {
      const left = await this.#punchBy(wordsFor(String(process.pid)), wanted, samples);
      samples.refuseHarm();
      if (left !== undefined && samples.areGone(left)) return left;
      await this.close();
    }
    const left = await punchOneByOne(this.#descriptor, wanted, this.#host);
    samples.refuseHarm();
    return samples.areGone(left) ? left : wanted;
  }

  /** The tool has ended once this returns. */
  async close(): Promise<void> {
    await this.#tool?.kill();
    this.#tool = undefined;
  }

  /** Undefined where the tool is not there, dies, says what is no answer, or nothing: then it has ended. */
  async #punchBy(words: ToolWords, wanted: RangeSet, samples: Samples): Promise<RangeSet | undefined> {
    const isNew = this.#tool === undefined;
    this.#tool ??= await startTool(words, this.#descriptor, this.#host);
    if (this.#tool === undefined) return undefined;
    try {
      this.#tool.keepAwake(true);
      const answers = new Answers(this.#tool, this.#patience);
      if (isNew) await answers.next("ready");
      const left = await punchAll(this.#tool, answers, wanted, samples);
      this.#tool.keepAwake(false);
      return left;
    } catch (error) {
      await this.close();
      if (error instanceof ImageError) throw error;
      return undefined;
    }
  }
}

/** What a tool says, as long as it says something. */
class Answers {
  readonly #tool: RunningTool;
  readonly #patience: number;

  constructor(tool: RunningTool, patience: number) {
    this.#tool = tool;
    this.#patience = patience;
  }

  /** Throws where the tool says anything else, or nothing for too long: then it is ended, and so are its lines. */
  async next(...expected: readonly string[]): Promise<string> {
    const timer = setTimeout(() => this.#tool.kill(), this.#patience);
    try {
      const { value } = await this.#tool.lines.next();
      if (expected.includes(value)) return value;
    } finally {
      clearTimeout(timer);
    }
    throw new Error("that is no answer");
  }
}

async function punchAll(tool: Conversation, answers: Answers, wanted: RangeSet, samples: Samples): Promise<RangeSet> {
  const left = new RangeSet();
  const punch = async (handful: readonly Range[]) => {
    tool.say(handful.map(({ start, end }) => `${start} ${end - start}\n`).join(""));
    for (const { start, end } of handful) if ((await answers.next("y", "n")) === "n") left.add(start, end);
  };
  let handful: Range[] = [];
  let isFirst = true;
  for (const piece of pieces(wanted)) {
    handful.push(piece);
    if (!isFirst && handful.length < HANDFUL) continue;
    await punch(handful);
    if (isFirst) samples.refuseHarm();
    isFirst = false;
    handful = [];
  }
  if (handful.length > 0) await punch(handful);
  return left;
}

/** By `fallocate` of util-linux, a process for each: only where they are few. */
async function punchOneByOne(descriptor: number, wanted: RangeSet, host: ToolHost): Promise<RangeSet> {
  const left = new RangeSet();
  let count = 0;
  for (const { start, end } of pieces(wanted)) {
    const words: ToolWords = ["fallocate", "-p", "-o", `${start}`, "-l", `${end - start}`, INHERITED_PATH];
    const isDone = ++count <= MAX_PROCESSES && (await askTool(words, descriptor, host, async () => true, PATIENCE_MS));
    if (!isDone) {
      left.addAll(wanted.clippedTo(start, wanted.end));
      break;
    }
  }
  return left;
}

function* pieces(ranges: RangeSet): Generator<Range> {
  for (const { start, end } of ranges.each()) {
    for (let at = start; at < end; at += MAX_PIECE) yield { start: at, end: Math.min(at + MAX_PIECE, end) };
  }
}

function refuseNoRanges(path: string, ranges: RangeSet): void {
  for (const { start, end } of ranges.each()) {
    if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0) continue;
    throw new ImageError("out-of-bounds", say`Cannot punch holes into ${imageNamed(path)}`, {
      because: `${Number.isInteger(start) ? hex(start) : start} to ${Number.isInteger(end) ? hex(end) : end} is no range in a file`,
      path,
      operation: "punch holes into",
    });
  }
}
