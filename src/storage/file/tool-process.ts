/** A small program at hand that works on a file of ours: it inherits the open file as descriptor 3, and never sees its path. */

import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { ImageError } from "../../bytes/image-error.ts";
import { childProcess } from "../built-ins.ts";

/** Where tools are looked for; only tests look elsewhere. */
export interface ToolHost {
  readonly platform: NodeJS.Platform;
  readonly searchPath: string | undefined;
}

export const SYSTEM_TOOLS: ToolHost = { platform: process.platform, searchPath: process.env.PATH };

/** A program's name and its arguments, fixed but for numbers. */
export type ToolWords = readonly [string, ...string[]];

export interface Conversation {
  /** What it prints; each line is of the tool's own making and may be anything. */
  readonly lines: AsyncGenerator<string>;
  say(text: string): void;
}

/** As the tool sees the file that it inherits. */
export const INHERITED = 3;
export const INHERITED_PATH = `/proc/self/fd/${INHERITED}`;

const MAX_LINE = 1000;

/** One that is under way. */
export interface RunningTool extends Conversation {
  /** False: whoever waits for nothing else is not kept from ending by it. */
  keepAwake(isAwaited: boolean): void;
  /** Says that there is nothing more to say, and waits. True where it ended with code 0. */
  end(): Promise<boolean>;
  /** Once this returns the tool has ended and touches the file no more. */
  kill(): Promise<void>;
}

/**
 * What `talk` made of the tool's lines; undefined where the tool is not there, dies, ends with a code that is not 0, or
 * says what `talk` throws at. ImageErrors go through. Once this returns the tool has ended and touches the file no more.
 */
export async function askTool<T>(
  words: ToolWords,
  descriptor: number,
  host: ToolHost,
  talk: (conversation: Conversation) => Promise<T>,
  timeout = 0,
): Promise<T | undefined> {
  const tool = await startTool(words, descriptor, host);
  if (tool === undefined) return undefined;
  // Not by spawn's own option, whose timer goes on where there is no such program, and keeps us from ending.
  const timer = timeout === 0 ? undefined : setTimeout(() => tool.kill(), timeout);
  try {
    const answer = await talk(tool);
    return (await tool.end()) ? answer : undefined;
  } catch (error) {
    await tool.kill();
    if (error instanceof ImageError) throw error;
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined where the tool is not there. */
export async function startTool(
  [command, ...words]: ToolWords,
  descriptor: number,
  { searchPath }: ToolHost,
): Promise<RunningTool | undefined> {
  const child = started(command, words, descriptor, searchPath);
  if (child === undefined) return undefined;
  const ended = new Promise<number | null>((settle) => {
    child.on("close", (code) => settle(code));
    // Of one that runs, an error is not the end.
    child.on("error", () => child.pid === undefined && settle(null));
  });
  const { stdin: input, stdout: output } = child;
  // Where there are too many open files it has none.
  if (!input || !output) {
    await ended;
    return undefined;
  }
  input.on("error", () => {});
  const keepAwake = (isAwaited: boolean) => {
    for (const each of [child, input as Socket, output as Socket]) isAwaited ? each.ref() : each.unref();
  };
  const close = async () => {
    // Else nothing may be left to wait for, and the whole process ends here.
    keepAwake(true);
    input.destroy();
    output.destroy();
    return (await ended) === 0;
  };
  return {
    lines: linesOf(output),
    say: (text) => input.write(text),
    keepAwake,
    end() {
      input.end();
      return close();
    },
    async kill() {
      child.kill("SIGKILL");
      await close();
    },
  };
}

function started(command: string, words: string[], descriptor: number, path: string | undefined) {
  try {
    return childProcess().spawn(command, words, {
      stdio: ["pipe", "pipe", "ignore", descriptor],
      // None of the caller's variables changes what a one-liner does.
      env: { ...(path === undefined ? {} : { PATH: path }), LC_ALL: "C" },
      // Ctrl-C is ours to hear: we stop where it is safe to.
      detached: true,
    });
  } catch {
    return undefined;
  }
}

/** Throws where a line is longer than any of ours. */
async function* linesOf(output: Readable): AsyncGenerator<string> {
  let rest = "";
  for await (const text of output.setEncoding("latin1")) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length > MAX_LINE) throw new Error("a line without an end");
  }
}
