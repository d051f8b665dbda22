/**
 * What the qemu-img that is asked has no words for, found by asking it once.
 *
 * We print what the newest prints. An older one lacks `children` in `info` and `compressed` in `map`; from ours exactly
 * that is taken away before the two are compared, and only where it does lack it.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InfoReport } from "../../src/convert/reading/info.ts";
import { infoText } from "../../src/convert/reading/info-text.ts";
import { type Json, kebabKeys } from "../../src/convert/reading/kebab-keys.ts";
import type { MapEntry } from "../../src/convert/reading/map.ts";

export interface QemuWords {
  /** `children` in the JSON of `info`, a block "Child node" in its text. */
  readonly tellsChildren: boolean;
  /** `compressed` in each entry of the JSON of `map`. */
  readonly tellsCompressed: boolean;
  /** The columns of the list of snapshots that people read: `VM_SIZE`, where older ones have narrower ones. */
  readonly hasWideSnapshots: boolean;
}

let asked: QemuWords | undefined;

export function qemuWords(): QemuWords {
  asked ??= askQemu();
  return asked;
}

function askQemu(): QemuWords {
  const folder = mkdtempSync(join(tmpdir(), "qemu-words-"));
  const said = (...words: string[]) =>
    execFileSync("qemu-img", words, { encoding: "utf8", cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  try {
    said("create", "-q", "-f", "qcow2", "disk", "1M");
    const tellsChildren = "children" in JSON.parse(said("info", "--output=json", "disk"));
    if (said("info", "disk").includes("\nChild node ") !== tellsChildren) {
      throw new Error("Cannot compare with qemu-img: it tells of children in JSON or in text alone");
    }
    const tellsCompressed = "compressed" in JSON.parse(said("map", "--output=json", "disk"))[0];
    said("snapshot", "-c", "one", "disk");
    const hasWideSnapshots = said("info", "disk").includes(" VM_SIZE ");
    return { tellsChildren, tellsCompressed, hasWideSnapshots };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Our JSON of `info`, as the qemu-img that is asked has to print it. */
export function infoAsQemu(info: InfoReport, { tellsChildren } = qemuWords()): Json {
  const { children, ...rest } = info;
  return kebabKeys(tellsChildren ? info : rest);
}

/** Our text of `info`, with a line break at its end. */
export function infoTextAsQemu(info: InfoReport, { tellsChildren } = qemuWords()): string {
  return withoutNarrowSnapshots(`${infoText(tellsChildren ? info : { ...info, children: [] })}\n`);
}

/** The list in other columns can't be compared; what it says is in the JSON too. */
function withoutNarrowSnapshots(text: string): string {
  return qemuWords().hasWideSnapshots ? text : text.replace(/^Snapshot list:\n(?:.+\n)+?(?=Format specific)/m, "");
}

export function mapAsQemu(
  entries: readonly MapEntry[],
  { tellsCompressed } = qemuWords(),
): readonly Partial<MapEntry>[] {
  return tellsCompressed ? entries : entries.map(({ compressed, ...rest }) => rest);
}

/**
 * What qemu-img prints in JSON of an image, without what the file system below says of the file: on XFS the size hint
 * that QEMU gives to files it makes, which nothing of Node's can ask for.
 */
export function qemuInfo(printed: string): unknown {
  return JSON.parse(printed, (key, value) => (key === "extent-size-hint" ? undefined : value));
}

export function qemuInfoText(printed: string): string {
  const text = withoutNarrowSnapshots(printed);
  return text.replace(/^ {4}Format specific information:\n {8}extent size hint: \d+\n/m, "");
}
