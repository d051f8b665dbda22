/**
 * `--cross-check`: a second opinion from qemu-img, where it is on PATH.
 *
 * Of a conversion: its check of the image before and after, and its map of the guest (what is data, what reads as
 * zeros), which must be the same; asked before the undo is given up. Of a check: its counts. Backing files are never
 * opened.
 */

import { resolve } from "node:path";
import { counted } from "../../bytes/count-text.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { isArchive } from "../../formats/registry.ts";
import type { CheckResult } from "../../image/finding.ts";
import type { Image } from "../../image/source.ts";
import { crypto } from "../../storage/built-ins.ts";
import { crossCheckRules, lookAtOptions, refuseMistakes } from "../options/option-rules.ts";
import type { CrossCheck } from "../options/options.ts";
import type { Settings } from "../options/settings.ts";
import { QEMU_IMG, runQemuImg } from "./qemu-img.ts";

interface Counts {
  readonly corruptions: number;
  readonly leaks: number;
  readonly checkErrors: number;
}

/** Why the wish can't be granted on this machine, one sentence; undefined where it can. */
export async function crossCheckMistake(wish: CrossCheck, signal?: AbortSignal): Promise<string | undefined> {
  refuseMistakes(lookAtOptions("crossCheckMistake", crossCheckRules, { crossCheck: wish, signal }).mistakes);
  const found = await CrossChecker.find(wish, signal);
  return typeof found === "string" ? found : undefined;
}

/** qemu-img's view of the source, where it is wished for and to be had. */
export async function askBefore(
  image: Image,
  { crossCheck, signal, check }: Pick<Settings, "crossCheck" | "signal" | "check">,
): Promise<CrossCheckedGuest | undefined> {
  if (crossCheck === "off" || !isShown(image)) return undefined;
  return (await CrossChecker.demand(crossCheck, signal))?.before(image, check);
}

/** Not where there is nothing to check, as in a disk that a text beside it names: for qemu-img that would be the image. Nor what it doesn't know. */
function isShown(image: Image): boolean {
  const { linearBase } = image.getConversionOptions();
  return image.check !== undefined && linearBase === undefined && !isArchive(image.format);
}

export class CrossChecker {
  readonly #version: string;
  readonly #signal: AbortSignal | undefined;

  private constructor(version: string, signal: AbortSignal | undefined) {
    this.#version = version;
    this.#signal = signal;
  }

  /** Undefined where it is not to be had; a sentence where it must be. */
  static async find(wish: CrossCheck, signal: AbortSignal | undefined): Promise<CrossChecker | string | undefined> {
    if (wish === "off") return undefined;
    try {
      const { lines } = await runQemuImg(["--version"], signal);
      const [, version = "of an unknown version"] = /version (\S+)/.exec(lines[0] ?? "") ?? [];
      return new CrossChecker(version, signal);
    } catch (error) {
      if (wish === "auto") return undefined;
      const why = error instanceof Error ? error.message : String(error);
      return `Cannot cross-check with qemu-img: ${why}; install it (qemu-utils) or set cross-check to auto or off`;
    }
  }

  /** As `find`; throws `unsupported` where it must be had and is not. */
  static async demand(wish: CrossCheck, signal: AbortSignal | undefined): Promise<CrossChecker | undefined> {
    const found = await CrossChecker.find(wish, signal);
    if (typeof found !== "string") return found;
    throw new ImageError("unsupported", found, { operation: "cross-check" });
  }

  /** qemu-img's view of the guest, to be compared afterwards. Throws where it finds the image corrupt. */
  async before({ storage: { path }, format }: Image, hasCheck: boolean): Promise<CrossCheckedGuest> {
    const counts = await this.#check(path, format);
    if (hasCheck && counts.corruptions > 0) throw this.#disagreement(path, "before the conversion", counts);
    const mapDigest = await this.#mapDigest(path, format);
    return {
      agree: async (targetFormat, leaksAllowed) => {
        await this.#refuseWrong(path, targetFormat, leaksAllowed);
        if ((await this.#mapDigest(path, targetFormat)) === mapDigest) {
          return `${this.#name} agrees: no errors, and the same map of the guest as before`;
        }
        throw new ImageError("verification-failed", say`Cannot agree with ${this.#name} on ${imageNamed(path)}`, {
          because: "its map of the guest's data differs from the one before",
          path,
          format: targetFormat,
          operation: "cross-check",
        });
      },
    };
  }

  /** One note where qemu-img is asked for its check. Throws `verification-failed` where its counts are others. */
  static async compare(
    image: Image,
    ours: CheckResult,
    { crossCheck = "off", signal }: { readonly crossCheck?: CrossCheck; readonly signal?: AbortSignal | undefined },
  ): Promise<string[]> {
    const checker = !isShown(image) ? undefined : await CrossChecker.demand(crossCheck, signal);
    return checker === undefined ? [] : [await checker.#compare(image, ours)];
  }

  async #compare(image: Image, ours: CheckResult): Promise<string> {
    const { format, storage } = image;
    // What we would not convert is shown to no other program: it would open whatever file the header names.
    if (image.getConversionOptions().hasDataFile) {
      return "Not shown to qemu-img: the image keeps its data in another file";
    }
    const counts = await this.#check(storage.path, format);
    const same =
      counts.corruptions === ours.corruptions && counts.leaks === ours.leaks && counts.checkErrors === ours.checkErrors;
    if (!same) throw this.#disagreement(storage.path, "where ours found otherwise", counts);
    return `${this.#name} found the same`;
  }

  async #refuseWrong(path: string, format: string, leaksAllowed: boolean): Promise<void> {
    const counts = await this.#check(path, format);
    if (counts.corruptions + counts.checkErrors === 0 && (counts.leaks === 0 || leaksAllowed)) return;
    throw this.#disagreement(path, "after the conversion", counts);
  }

  get #name(): string {
    return `${QEMU_IMG} ${this.#version}`;
  }

  #disagreement(path: string, when: string, { corruptions, leaks, checkErrors }: Counts): ImageError {
    const found = `${counted(corruptions, "corruption")}, ${counted(leaks, "leaked cluster")} and ${counted(checkErrors, "error")}`;
    return new ImageError("verification-failed", say`Cannot agree with ${this.#name} on ${imageNamed(path)}`, {
      because: `it found ${found} ${when}`,
      path,
      operation: "cross-check",
    });
  }

  async #check(path: string, format: string): Promise<Counts> {
    const { code, lines, said } = await runQemuImg(["check", "--output=json", nodeOf(path, format)], this.#signal);
    try {
      const found = JSON.parse(lines.join("\n")) as Readonly<Record<string, number>>;
      return {
        corruptions: found.corruptions ?? 0,
        leaks: found.leaks ?? 0,
        checkErrors: found["check-errors"] ?? 0,
      };
    } catch {
      throw new ImageError("verification-failed", say`Cannot cross-check ${imageNamed(path)}`, {
        because: `${this.#name} failed (${code}): ${said}`,
        path,
        operation: "cross-check",
      });
    }
  }

  /** Neighbours that are alike count as one, however the tables cut them. */
  async #mapDigest(path: string, format: string): Promise<string> {
    const hash = crypto().createHash("sha256");
    let state = "";
    const onLine = (line: string) => {
      const entry = JSON.parse(line.replace(/^\[/, "").replace(/[\],]+\s*$/, "")) as Readonly<Record<string, unknown>>;
      const next = `${entry.data} ${entry.zero}`;
      if (next !== state) hash.update(`${entry.start} ${next}\n`);
      state = next;
    };
    const { code, said } = await runQemuImg(["map", "--output=json", nodeOf(path, format)], this.#signal, onLine);
    if (code === 0) return hash.digest("hex");
    throw new ImageError("verification-failed", say`Cannot cross-check ${imageNamed(path)}`, {
      because: `${this.#name} failed (${code}): ${said}`,
      path,
      operation: "cross-check",
    });
  }
}

/** A guest as qemu-img saw it before the conversion. */
export interface CrossCheckedGuest {
  /** One sentence. Throws `verification-failed` where qemu-img sees another guest now, or something wrong. */
  agree(targetFormat: string, leaksAllowed: boolean): Promise<string>;
}

/** A node without its backing file: what a header names is not opened. */
function nodeOf(path: string, driver: string): string {
  return `json:${JSON.stringify({ driver, backing: null, file: { driver: "file", filename: resolve(path) } })}`;
}
