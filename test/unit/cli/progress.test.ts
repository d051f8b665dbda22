import { Writable } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { barLine, formatDuration, showLateProgress, showProgress } from "../../../src/cli/progress.ts";
import type { ChecksumOptions } from "../../../src/index.ts";
import { run } from "./world.ts";

const MiB = 1024 ** 2;

function terminalAt(clock: { now: number }, bar?: NodeJS.WritableStream) {
  const lines: string[] = [];
  const terminal = {
    result: () => {},
    loss: async () => undefined,
    note: (line: string) => lines.push(line),
    bar,
    isWatched: bar !== undefined,
    hasColor: false,
    now: () => clock.now,
    invocation: "inplace-convert",
  };
  return { terminal, lines };
}

describe("where no person looks on", () => {
  test("a line each 10 s, with amount, rate and what is left", async () => {
    const clock = { now: 500 };
    const { terminal, lines } = terminalAt(clock);
    const display = await showProgress(terminal);
    for (let second = 0; second <= 25; second++) {
      clock.now = 500 + second * 1000;
      display.onProgress({ stage: "checksum", done: second * MiB, total: 100 * MiB });
    }
    display.end();
    expect(lines).toEqual([
      "checksum: 10 MiB of 100 MiB (10 %), 1 MiB/s, 1 min 30 s left",
      "checksum: 20 MiB of 100 MiB (20 %), 1 MiB/s, 1 min 20 s left",
    ]);
  });

  test("rates count from the start of their stage; an unknown total promises nothing", async () => {
    const clock = { now: 0 };
    const { terminal, lines } = terminalAt(clock);
    const display = await showProgress(terminal);
    display.onProgress({ stage: "checksum", done: 50 * MiB, total: 100 * MiB });
    clock.now = 9000;
    display.onProgress({ stage: "verify", done: 10 * MiB, total: 0 });
    clock.now = 11_000;
    display.onProgress({ stage: "verify", done: 14 * MiB, total: 0 });
    expect(lines).toEqual(["verify: 14 MiB, 2 MiB/s"]);
  });

  test("nothing for what ends within 10 s", async () => {
    const clock = { now: 0 };
    const { terminal, lines } = terminalAt(clock);
    const display = await showProgress(terminal);
    clock.now = 9999;
    display.onProgress({ stage: "write", done: MiB, total: MiB });
    display.end();
    expect(lines).toEqual([]);
  });
});

/** A terminal as cli-progress asks for one, and what was drawn on it. */
function screenOf(columns: number) {
  const drawn: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      drawn.push(`${chunk}`);
      done();
    },
  });
  return {
    drawn,
    screen: Object.assign(stream, { isTTY: true, columns, cursorTo: () => true, clearLine: () => true }),
  };
}

test("on a terminal a bar that goes away at the end", async () => {
  const { drawn, screen } = screenOf(120);
  const clock = { now: 0 };
  const { terminal, lines } = terminalAt(clock, screen);
  const display = await showProgress(terminal);
  display.onProgress({ stage: "checksum", done: 0, total: 100 * MiB });
  clock.now = 1000;
  display.onProgress({ stage: "checksum", done: 50 * MiB, total: 100 * MiB });
  display.end();
  expect(lines).toEqual([]);
  expect(drawn.join("")).toContain(
    `checksum  ${"\u2588".repeat(15)}${"\u2591".repeat(15)} 50 MiB of 100 MiB (50 %), 50 MiB/s, 1 s left`,
  );
  // Nothing is switched that a killed process would leave switched: wrapping, the cursor.
  expect(drawn.join("")).not.toContain("\x1b[?");
});

describe("the line fits the terminal", () => {
  const measured = { amount: "50 MiB of 100 MiB (50 %)", percent: "50 %", rate: "50 MiB/s", left: "1 s left" };
  const endless = { amount: "50 MiB", percent: undefined, rate: undefined, left: undefined };
  const bar = (width: number) => "\u2588".repeat(width / 2) + "\u2591".repeat(width / 2);

  test.each([
    [120, `verify    ${bar(30)} 50 MiB of 100 MiB (50 %), 50 MiB/s, 1 s left`],
    [85, `verify    ${bar(10)} 50 MiB of 100 MiB (50 %), 50 MiB/s, 1 s left`],
    [60, `verify    ${bar(10)} 50 %, 1 s left`],
    [39, `verify    ${bar(10)} 50 %, 1 s left`],
    [30, "verify 50 %, 1 s left"],
    [20, "verify 50 %"],
    [11, "50 %"],
    [3, ""],
  ])("of %d columns", (columns, line) => {
    expect(barLine("verify", 0.5, measured, columns)).toBe(line);
  });

  test("whatever its width, and where the end is unknown", () => {
    for (let columns = 1; columns < 130; columns++) {
      for (const each of [measured, endless]) {
        expect(barLine("roll back", 0.999, each, columns).length).toBeLessThan(columns);
      }
    }
    expect(barLine("roll back", 0, endless, 30)).toBe(`roll back ${"\u2591".repeat(10)} 50 MiB`);
  });

  test("as wide as it is while the bar is drawn", async () => {
    const { drawn, screen } = screenOf(24);
    const display = await showProgress(terminalAt({ now: 0 }, screen).terminal);
    display.onProgress({ stage: "verify", done: 50 * MiB, total: 100 * MiB });
    display.end();
    expect(drawn).toContain("verify 50 %");
  });
});

describe("by itself", () => {
  /** Lets a bar be loaded. */
  const loaded = () => vi.dynamicImportSettled();
  const half = { stage: "verify", done: 50 * MiB, total: 100 * MiB } as const;

  test("after two seconds, and not before", async () => {
    const { drawn, screen } = screenOf(80);
    const clock = { now: 500 };
    const display = showLateProgress(terminalAt(clock, screen).terminal);
    clock.now = 2499;
    display.onProgress(half);
    await loaded();
    display.onProgress(half);
    expect(drawn).toEqual([]);
    clock.now = 2500;
    display.onProgress(half);
    await loaded();
    display.onProgress(half);
    display.end();
    expect(drawn.join("")).toContain("verify ");
  });

  test("an end while the bar is still being loaded draws nothing", async () => {
    const { drawn, screen } = screenOf(80);
    const display = showLateProgress(terminalAt({ now: 0 }, screen).terminal, 0);
    display.onProgress(half);
    display.end();
    await loaded();
    expect(drawn).toEqual([]);
  });

  test.each([
    ["where a person looks on", "checksum a", true, true],
    ["not where nobody does", "checksum a", false, false],
    ["not with -q", "checksum a -q", true, false],
    ["not with -q beside -p", "checksum a -q -p", true, false],
    ["at once with -p", "checksum a -p", false, true],
  ])("%s", async (_what, words, isWatched, isShown) => {
    const { drawn, screen } = screenOf(80);
    const checksum = async (_path: string, { onProgress }: ChecksumOptions = {}) => {
      onProgress?.(half);
      await loaded();
      onProgress?.(half);
      return { image: "a", algorithm: "sha256", covers: "guest", checksum: "00" } as const;
    };
    const { stdout } = await run(words, { checksum }, { bar: screen, isWatched, progressDelay: 0 });
    expect([stdout, drawn.join("").includes("verify ")]).toEqual(["00  a\n", isShown]);
  });
});

test.each([
  [0.2, "1 s"],
  [59, "59 s"],
  [60, "1 min 0 s"],
  [3599.5, "1 h 0 min"],
  [7500, "2 h 5 min"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
