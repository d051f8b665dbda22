/**
 * What each pair of formats comes to, by converting a small disk that qemu-img wrote in the one to the other, and looking where
 * its data lies then: README's table of pairs.
 */

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ImageError, UsageError } from "../src/bytes/image-error.ts";
import { convert } from "../src/convert/convert.ts";
import { openImageForReading } from "../src/convert/inspect/opened-chain.ts";
import { type Extent, ExtentState, eachExtent, isStored } from "../src/image/extent.ts";
import { FileVolume } from "../src/storage/file/file-volume.ts";

const MiB = 1024 ** 2;
/** Whole units of every target, so that none of them makes it longer. */
const SIZE = 12 * MiB;
/** MiB of it that hold nothing. */
const HOLES = [3, 8, 9];

type Texts = Readonly<Record<string, string>>;

export interface Kind {
  readonly title: string;
  readonly format: string;
  /** `-o` by which qemu-img makes a source of it. */
  readonly made?: Texts;
  /** `-c`: qemu-img compresses. */
  readonly isCompressed?: true;
  /** Made by our own conversion, since qemu-img's lie otherwise. */
  readonly isOurs?: true;
  /** `-o` by which it is asked for; absent where it is no column. */
  readonly asked?: Texts;
  /** Guest bytes; default 12 MiB. */
  readonly size?: number;
}

export const kinds: readonly Kind[] = [
  { title: "qcow2", format: "qcow2", asked: {} },
  { title: "qcow2, compressed", format: "qcow2", isCompressed: true },
  { title: "QED", format: "qed", asked: {} },
  { title: "qcow", format: "qcow", asked: {} },
  { title: "raw", format: "raw", asked: {} },
  {
    title: "fixed VHD",
    format: "vpc",
    made: { subformat: "fixed", force_size: "on" },
    asked: { subformat: "fixed", force_size: "on" },
  },
  {
    title: "dynamic VHD",
    format: "vpc",
    made: { force_size: "on" },
    asked: { subformat: "dynamic", force_size: "on" },
  },
  {
    title: "sparse VMDK",
    format: "vmdk",
    made: { subformat: "monolithicSparse" },
    asked: { subformat: "monolithicSparse" },
  },
  { title: "flat VMDK", format: "vmdk", made: { subformat: "monolithicFlat" }, asked: { subformat: "monolithicFlat" } },
  {
    title: "streamOptimized VMDK",
    format: "vmdk",
    made: { subformat: "streamOptimized" },
    asked: { subformat: "streamOptimized" },
  },
  { title: "split VMDK, one file", format: "vmdk", made: { subformat: "twoGbMaxExtentSparse" } },
  {
    title: "split VMDK, several files",
    format: "vmdk",
    made: { subformat: "twoGbMaxExtentSparse" },
    size: 2048 * MiB + SIZE,
  },
  { title: "OVA", format: "ova", isOurs: true, asked: {} },
  { title: "VHDX", format: "vhdx", made: { block_size: "1M" }, asked: {} },
  { title: "VDI", format: "vdi", isOurs: true, asked: {} },
  { title: "VDI at odd sectors", format: "vdi" },
  { title: "Parallels", format: "parallels", asked: {} },
];

export const columns = kinds.filter((kind): kind is Kind & { readonly asked: Texts } => kind.asked !== undefined);

/** Everything lies elsewhere afterwards, some of it, no more than what has its place at the front, nothing; or it is refused. */
export type Moved = "all" | "part" | "front" | "metadata" | "refused";

export interface Cell {
  readonly from: Kind;
  readonly to: Kind;
  readonly moved: Moved;
  readonly stepCount: number;
  /** Of a refusal. */
  readonly because?: string;
}

/** What of the guest's data has another place. */
function movedBetween(before: readonly Extent[], after: readonly Extent[]): Moved {
  let [stored, moved] = [0, 0];
  let at = 0;
  for (const old of before) {
    if (!isStored(old.state)) continue;
    stored += old.length;
    const end = old.guestOffset + old.length;
    while (at > 0 && (after[at]?.guestOffset ?? 0) > old.guestOffset) at--;
    for (; at < after.length && (after[at] as Extent).guestOffset < end; at++) {
      const now = after[at] as Extent;
      const start = Math.max(old.guestOffset, now.guestOffset);
      const length = Math.min(end, now.guestOffset + now.length) - start;
      if (length > 0 && isStored(now.state) && !isSamePlace(old, now)) moved += length;
    }
  }
  if (moved === 0) return "metadata";
  if (moved <= stored / 8) return "front";
  return moved >= (stored * 3) / 4 ? "all" : "part";
}

/** A stream lies where it begins, plain bytes each for itself. */
function isSamePlace(old: Extent, now: Extent): boolean {
  if (old.state !== now.state) return false;
  if (old.state === ExtentState.compressed) return old.hostOffset === now.hostOffset;
  return old.hostOffset - old.guestOffset === now.hostOffset - now.guestOffset;
}

async function extentsOf(path: string, format: string): Promise<readonly Extent[]> {
  const image = await openImageForReading(new FileVolume(), path, { format, allowMarkedRaw: true });
  try {
    return [...eachExtent(await image.getMapping())];
  } finally {
    await image.storage.close();
  }
}

/** A folder with a sample of each kind. */
export class Samples {
  readonly #folder = mkdtempSync(join(tmpdir(), "inplace-pairs-"));
  readonly #raw = join(this.#folder, "guest.raw");

  constructor() {
    const guest = Buffer.alloc(SIZE);
    for (let at = 0; at < SIZE; at += 512)
      if (!HOLES.includes(Math.floor(at / MiB))) guest.fill(`sector ${at} `, at, at + 512);
    writeFileSync(this.#raw, guest);
  }

  /** Its path, made when it is first asked for. */
  async of(kind: Kind): Promise<string> {
    const folder = join(this.#folder, kind.title);
    const path = join(folder, "disk.img");
    if (existsSync(folder)) return path;
    mkdirSync(folder);
    if (kind.isOurs) {
      copyFileSync(this.#raw, path);
      await convert(path, kind.format, { format: "raw" });
      return path;
    }
    const { made = {}, size = SIZE } = kind;
    const options = Object.entries(made).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const words = ["-O", kind.format, ...(kind.isCompressed ? ["-c"] : []), ...options];
    execFileSync("truncate", ["-s", String(size), this.#raw]);
    execFileSync("qemu-img", ["convert", "-f", "raw", ...words, this.#raw, path]);
    execFileSync("truncate", ["-s", String(SIZE), this.#raw]);
    return path;
  }

  /** A copy with all that lies beside it. */
  async copyOf(kind: Kind): Promise<string> {
    const path = await this.of(kind);
    const copy = mkdtempSync(join(this.#folder, "copy-"));
    const folder = join(this.#folder, kind.title);
    for (const name of readdirSync(folder)) execFileSync("cp", ["--sparse=always", join(folder, name), copy]);
    return path.replace(folder, copy);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What a conversion of a copy comes to; undefined for a kind into itself. */
export async function cellOf(samples: Samples, from: Kind, to: Kind): Promise<Cell | undefined> {
  if (from === to) return undefined;
  const copy = await samples.copyOf(from);
  try {
    const before = await extentsOf(copy, from.format);
    const named = from.format === "raw" ? { format: "raw" } : {};
    const report = await convert(copy, to.format, { ...named, options: to.asked ?? {} });
    // What it is called already.
    if (report.path.length === 0) return undefined;
    const after = await extentsOf(report.imageAfter ?? copy, to.format);
    return { from, to, moved: movedBetween(before, after), stepCount: report.path.length };
  } catch (error) {
    const refused = { from, to, moved: "refused", stepCount: 0 } as const;
    if (error instanceof UsageError) return { ...refused, because: error.message };
    if (error instanceof ImageError) return { ...refused, because: plainly(error) };
    throw error;
  } finally {
    rmSync(dirname(copy), { recursive: true, force: true });
  }
}

/** Without the place in the sample. */
function plainly({ problem }: ImageError): string {
  return `${problem}`.replace(/ \(at host offset .*?\)$/, "");
}

export async function cellsOf(samples: Samples): Promise<readonly (readonly (Cell | undefined)[])[]> {
  const rows: (Cell | undefined)[][] = [];
  for (const from of kinds) {
    const row: (Cell | undefined)[] = [];
    for (const to of columns) row.push(await cellOf(samples, from, to));
    rows.push(row);
  }
  return rows;
}

/** What is refused alike for all of a row or a column is said once, below. */
export function pairsTable(rows: readonly (readonly (Cell | undefined)[])[]): string {
  const isRefused = (cells: readonly (Cell | undefined)[]) =>
    cells.every((cell) => cell === undefined || cell.moved === "refused");
  const shown = columns.map((_, at) => at).filter((at) => !isRefused(rows.map((row) => row[at])));
  const reasons: string[] = [];
  for (const [at, { title }] of columns.entries()) {
    const because = rows.find((row) => row[at]?.because)?.[at]?.because;
    if (!shown.includes(at) && because !== undefined) reasons.push(`- Nothing becomes a ${title}. ${because}.`);
  }
  const lines = [
    ["from \\ to", ...shown.map((at) => columns[at]?.title ?? "")],
    ["---", ...shown.map(() => "---")],
  ];
  for (const [at, row] of rows.entries()) {
    const title = kinds[at]?.title ?? "";
    const cells = shown.map((column) => row[column]);
    if (isRefused(cells)) reasons.push(`- No ${title}: ${cells.find((cell) => cell?.because)?.because}.`);
    else lines.push([`**${title}**`, ...cells.map((cell) => textOf(cell, reasons))]);
  }
  return `${lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("")}\n${[...new Set(reasons)].join("\n")}\n`;
}

export function textOf(cell: Cell | undefined, reasons: string[] = []): string {
  if (cell === undefined) return "–";
  const { from, to, moved, stepCount, because } = cell;
  if (moved === "refused") reasons.push(`- No ${from.title} to a ${to.title}. ${because}.`);
  return stepCount > 1 ? `${moved}, ${stepCount} steps` : moved;
}
