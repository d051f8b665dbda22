/** Progress on stderr: a bar with rate and remaining time where a person looks on, a line every 10 s elsewhere. */

import type { Options, Params } from "cli-progress";
import { formatSize, type Progress, type Stage } from "../doors.ts";
import type { Terminal } from "./terminal.ts";

const LINE_EVERY_MS = 10_000;
/** How long a command takes before a person who looks on wants to know how far it is. */
const LATE_MS = 2000;
const BAR_WIDTH = 30;
const SHORT_BAR_WIDTH = 10;
/** Of a terminal that doesn't tell. */
const COLUMNS = 80;

export interface ProgressDisplay {
  onProgress(progress: Progress): void;
  /** Takes the bar away; harmless when there is none. */
  end(): void;
}

export async function showProgress(terminal: Terminal): Promise<ProgressDisplay> {
  return terminal.bar === undefined ? showLines(terminal) : showBar(terminal, terminal.bar);
}

/** The same for who has not asked for it: nothing of a command that ends within `delay` milliseconds. */
export function showLateProgress(terminal: Terminal, delay = LATE_MS): ProgressDisplay {
  const start = terminal.now();
  let display: ProgressDisplay | undefined;
  let isAskedFor = false;
  return {
    onProgress(progress) {
      display?.onProgress(progress);
      if (isAskedFor || terminal.now() - start < delay) return;
      isAskedFor = true;
      // What can't be shown must not keep the work from being done.
      showProgress(terminal).then(
        (shown) => {
          display = shown;
        },
        () => {},
      );
    },
    end: () => display?.end(),
  };
}

function showLines(terminal: Terminal): ProgressDisplay {
  const pace = new Pace(terminal);
  let last = terminal.now();
  return {
    onProgress(progress) {
      pace.see(progress);
      if (terminal.now() - last < LINE_EVERY_MS) return;
      last = terminal.now();
      const { amount, rate, left } = pace.measure(progress);
      terminal.note(`${progress.stage}: ${listed(amount, rate, left)}`);
    },
    end() {},
  };
}

async function showBar(terminal: Terminal, stream: NodeJS.WritableStream): Promise<ProgressDisplay> {
  // Loaded where a bar is shown: it takes as long as converting a small image.
  const { SingleBar } = await import("cli-progress");
  const pace = new Pace(terminal);
  let current: Progress | undefined;
  const format = (_options: Options, { progress }: Params) => {
    if (current === undefined) return "";
    return barLine(current.stage, Math.min(1, Math.max(0, progress)), pace.measure(current), columnsOf(stream));
  };
  // A line that fits needs no switching of the terminal's wrapping, which a second Ctrl-C would leave switched.
  const bar = new SingleBar({ format, stream, linewrap: true, clearOnComplete: true, fps: 8 });
  let isRunning = false;
  return {
    onProgress(progress) {
      pace.see(progress);
      current = progress;
      if (!isRunning) bar.start(progress.total, progress.done);
      isRunning = true;
      bar.setTotal(progress.total);
      bar.update(progress.done);
    },
    end() {
      if (isRunning) bar.stop();
      isRunning = false;
    },
  };
}

function columnsOf(stream: NodeJS.WritableStream): number {
  return ("columns" in stream && typeof stream.columns === "number" && stream.columns) || COLUMNS;
}

/** The most that fits into one line of the terminal, whose last column stays free: some wrap once that is written. */
export function barLine(stage: Stage, share: number, measured: Measured, columns: number): string {
  const { amount, percent, rate, left } = measured;
  const name = stage.padEnd(9);
  const bar = (width: number) => "\u2588".repeat(Math.round(share * width)).padEnd(width, "\u2591");
  const forms = [
    `${name} ${bar(BAR_WIDTH)} ${listed(amount, rate, left)}`,
    `${name} ${bar(SHORT_BAR_WIDTH)} ${listed(amount, rate, left)}`,
    `${name} ${bar(SHORT_BAR_WIDTH)} ${listed(percent ?? amount, left)}`,
    `${stage} ${listed(percent ?? amount, left)}`,
    `${stage} ${percent ?? amount}`,
    percent ?? amount,
  ];
  return forms.find((form) => form.length < columns) ?? "";
}

/** In words, of the stage at hand; what is not known is not there. */
export interface Measured {
  /** `50 MiB of 100 MiB (50 %)`, or without an end what is done. */
  readonly amount: string;
  readonly percent: string | undefined;
  readonly rate: string | undefined;
  readonly left: string | undefined;
}

function listed(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(", ");
}

/** How fast the stage at hand goes, from when it was first seen. */
class Pace {
  readonly #terminal: Terminal;
  #stage: Stage | undefined;
  #start = 0;
  #doneAtStart = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  see({ stage, done }: Progress): void {
    if (stage === this.#stage && done >= this.#doneAtStart) return;
    this.#stage = stage;
    this.#start = this.#terminal.now();
    this.#doneAtStart = done;
  }

  measure({ done, total }: Progress): Measured {
    const seconds = (this.#terminal.now() - this.#start) / 1000;
    const rate = seconds > 0 ? (done - this.#doneAtStart) / seconds : 0;
    const percent = total > 0 ? `${Math.min(100, Math.floor((100 * done) / total))} %` : undefined;
    return {
      amount: percent === undefined ? formatSize(done) : `${formatSize(done)} of ${formatSize(total)} (${percent})`,
      percent,
      rate: rate > 0 ? `${formatSize(rate)}/s` : undefined,
      left: rate > 0 && total > done ? `${formatDuration((total - done) / rate)} left` : undefined,
    };
  }
}

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
