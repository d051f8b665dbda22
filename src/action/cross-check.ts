/**
 * The input `cross-check`: a second opinion from qemu-img, where it is on PATH.
 *
 * Of a conversion: its check of the image before and after, and its map of the guest (what is data, what reads as
 * zeros), which must be the same. Of a check: its counts. Backing files are never opened.
 */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { type CheckReport, type ConvertOptions, ImageError, info, plan } from "../index.ts";
import type { CrossCheck } from "./inputs.ts";

const PROGRAM = "qemu-img";
/** Of what it says on stderr only the end matters. */
const MAX_SAID = 2000;

/** qemu-img's view of a guest, to be compared with its view afterwards. */
export interface CrossCheckedImage {
  readonly mapDigest: string;
}

interface Counts {
  readonly corruptions: number;
  readonly leaks: number;
  readonly checkErrors: number;
}

export class CrossChecker {
  readonly #version: string;
  readonly #signal: AbortSignal;

  private constructor(version: string, signal: AbortSignal) {
    this.#version = version;
    this.#signal = signal;
  }

  /** Undefined where it is not to be had; a sentence where it must be. */
  static async find(wish: CrossCheck, signal: AbortSignal): Promise<CrossChecker | string | undefined> {
    if (wish === "off") return undefined;
    try {
      const { lines } = await run(["--version"], signal);
      const [, version = "of an unknown version"] = /version (\S+)/.exec(lines[0] ?? "") ?? [];
      return new CrossChecker(version, signal);
    } catch (error) {
      if (wish === "auto") return undefined;
      const why = error instanceof Error ? error.message : String(error);
      return `Cannot cross-check with qemu-img: ${why}; install it (qemu-utils) or set cross-check to auto or off`;
    }
  }

  /** Undefined where nothing can be compared: the conversion itself says why. */
  async before(path: string, targetFormat: string, options: ConvertOptions): Promise<CrossCheckedImage | undefined> {
    // What we refuse is shown to no other program: a header may name files.
    const { report } = await plan(path, targetFormat, options);
    if (report.refused.length > 0 || report.sourceFormat === "raw") return undefined;
    const counts = await this.#check(path, report.sourceFormat);
    if (options.check && counts.corruptions > 0) throw this.#disagreement(path, "before the conversion", counts);
    return { mapDigest: await this.#mapDigest(path, report.sourceFormat) };
  }

  /** One sentence. Throws `verification-failed` where qemu-img sees another guest than before, or something wrong. */
  async after(path: string, format: string, before: CrossCheckedImage, leaksAllowed: boolean): Promise<string> {
    const counts = await this.#check(path, format);
    if (counts.corruptions + counts.checkErrors > 0 || (counts.leaks > 0 && !leaksAllowed)) {
      throw this.#disagreement(path, "after the conversion", counts);
    }
    if ((await this.#mapDigest(path, format)) !== before.mapDigest) {
      throw new ImageError(
        "verification-failed",
        `Cannot agree with ${this.#name} on ${path}: its map of the guest's data differs from the one before`,
        { path, format, operation: "cross-check" },
      );
    }
    return `${this.#name} agrees: no errors, and the same map of the guest as before`;
  }

  /** One sentence. Throws `verification-failed` where the counts differ; undefined where the format has no check. */
  async compare(path: string, report: CheckReport): Promise<string | undefined> {
    if (report.verdict === "unsupported") return undefined;
    // What we would not convert is shown to no other program: it would open whatever file the header names.
    const { json } = await info(path, { format: report.format });
    if (JSON.stringify(json["format-specific"] ?? {}).includes('"data-file"')) {
      return "Not shown to qemu-img: the image keeps its data in another file";
    }
    const counts = await this.#check(path, report.format);
    const same =
      counts.corruptions === report.corruptions &&
      counts.leaks === report.leaks &&
      counts.checkErrors === report.checkErrors;
    if (!same) throw this.#disagreement(path, "where ours found otherwise", counts);
    return `${this.#name} found the same`;
  }

  get #name(): string {
    return `${PROGRAM} ${this.#version}`;
  }

  #disagreement(path: string, when: string, { corruptions, leaks, checkErrors }: Counts): ImageError {
    const found = `${corruptions} corruptions, ${leaks} leaked clusters and ${checkErrors} errors`;
    return new ImageError(
      "verification-failed",
      `Cannot agree with ${this.#name} on ${path}: it found ${found} ${when}`,
      {
        path,
        operation: "cross-check",
      },
    );
  }

  async #check(path: string, format: string): Promise<Counts> {
    const { code, lines, said } = await run(["check", "--output=json", nodeOf(path, format)], this.#signal);
    try {
      const found = JSON.parse(lines.join("\n")) as Readonly<Record<string, number>>;
      return {
        corruptions: found.corruptions ?? 0,
        leaks: found.leaks ?? 0,
        checkErrors: found["check-errors"] ?? 0,
      };
    } catch {
      throw new ImageError(
        "verification-failed",
        `Cannot cross-check ${path}: ${this.#name} failed (${code}): ${said}`,
        {
          path,
          operation: "cross-check",
        },
      );
    }
  }

  /** Neighbours that are alike count as one, however the tables cut them. */
  async #mapDigest(path: string, format: string): Promise<string> {
    const hash = createHash("sha256");
    let state = "";
    const onLine = (line: string) => {
      const entry = JSON.parse(line.replace(/^\[/, "").replace(/[\],]+\s*$/, "")) as Readonly<Record<string, unknown>>;
      const next = `${entry.data} ${entry.zero}`;
      if (next !== state) hash.update(`${entry.start} ${next}\n`);
      state = next;
    };
    const { code, said } = await run(["map", "--output=json", nodeOf(path, format)], this.#signal, onLine);
    if (code === 0) return hash.digest("hex");
    throw new ImageError("verification-failed", `Cannot cross-check ${path}: ${this.#name} failed (${code}): ${said}`, {
      path,
      operation: "cross-check",
    });
  }
}

/** A node without its backing file: what a header names is not opened. */
function nodeOf(path: string, driver: string): string {
  return `json:${JSON.stringify({ driver, backing: null, file: { driver: "file", filename: resolve(path) } })}`;
}

interface Ended {
  readonly code: number | null;
  /** Of stdout; empty where `onLine` took them. */
  readonly lines: readonly string[];
  /** The end of stderr. */
  readonly said: string;
}

/** Throws where the program can't be started or the signal ends it. */
function run(words: readonly string[], signal: AbortSignal, onLine?: (line: string) => void): Promise<Ended> {
  return new Promise((settle, reject) => {
    const child = spawn(PROGRAM, words, { stdio: ["ignore", "pipe", "pipe"], signal });
    const lines: string[] = [];
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-MAX_SAID);
    });
    const reading = createInterface({ input: child.stdout });
    reading.on("line", (line) => {
      try {
        if (onLine) onLine(line);
        else lines.push(line);
      } catch (error) {
        child.kill();
        reject(error);
      }
    });
    child.on("error", reject);
    let left = 2;
    let code: number | null = null;
    const end = () => {
      left -= 1;
      if (left === 0) settle({ code, lines, said: said.trim() });
    };
    reading.on("close", end);
    child.on("close", (exitCode) => {
      code = exitCode;
      end();
    });
  });
}
