import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { formatDuration, showProgress } from "../../../src/cli/progress.ts";

const MiB = 1024 ** 2;

function terminalAt(clock: { now: number }, bar?: NodeJS.WritableStream) {
  const lines: string[] = [];
  const terminal = {
    result: () => {},
    loss: async () => undefined,
    note: (line: string) => lines.push(line),
    bar,
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

test("on a terminal a bar that goes away at the end", async () => {
  let drawn = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      drawn += chunk;
      done();
    },
  });
  // cli-progress asks the stream for what a terminal has.
  const screen = Object.assign(stream, { isTTY: true, columns: 120, cursorTo: () => true, clearLine: () => true });
  const clock = { now: 0 };
  const { terminal, lines } = terminalAt(clock, screen);
  const display = await showProgress(terminal);
  display.onProgress({ stage: "checksum", done: 0, total: 100 * MiB });
  clock.now = 1000;
  display.onProgress({ stage: "checksum", done: 50 * MiB, total: 100 * MiB });
  display.end();
  expect(lines).toEqual([]);
  expect(drawn).toContain(
    `checksum  ${"\u2588".repeat(15)}${"\u2591".repeat(15)} 50 MiB of 100 MiB (50 %), 50 MiB/s, 1 s left`,
  );
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
