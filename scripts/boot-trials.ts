/** Disks that boot, made by qemu-img in one format, converted by the built command to another, and started by QEMU. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BootDisk, damage, writeBootDisk } from "../test/support/boot-disk.ts";
import { boot } from "../test/support/boot-machine.ts";
import { exitCodes, SECTORS_A_PLACE } from "../test/support/boot-sector.ts";
import { columns, type Kind, kinds } from "./pairs.ts";

const MiB = 2 ** 20;
/** Beyond 4 GiB, and whole units of every format. */
const SIZE = 4608 * MiB;
/** VMDKs that are split at 2 GiB are converted where they are one file. */
const SIZE_IN_ONE_FILE = 1536 * MiB;
/** Of one program. */
const PATIENCE = 120_000;
const command = fileURLToPath(new URL("../dist/cli.mjs", import.meta.url));

const raw = kinds.find(({ format }) => format === "raw") as Kind;

/** Those of the table of pairs, and what else qemu-img makes. */
export const sources: readonly Kind[] = [
  ...kinds.filter(({ size }) => size === undefined).map((kind) => (isSplit(kind) ? inOneFile(kind) : kind)),
  inOneFile({ title: "split flat VMDK, one file", format: "vmdk", made: { subformat: "twoGbMaxExtentFlat" } }),
  { title: "qcow2, version 2", format: "qcow2", made: { compat: "0.10" } },
  { title: "qcow2, small clusters", format: "qcow2", made: { cluster_size: "4k" } },
  { title: "qcow2, subclusters", format: "qcow2", made: { extended_l2: "on" } },
  { title: "qcow2, zstd", format: "qcow2", made: { compression_type: "zstd" }, isCompressed: true },
  { title: "fixed VHDX", format: "vhdx", made: { subformat: "fixed" } },
  // All of it is stored, and moves.
  { title: "static VDI", format: "vdi", made: { static: "on" }, size: 256 * MiB },
];

function isSplit({ made }: Kind): boolean {
  return made?.subformat?.startsWith("twoGb") === true;
}

function inOneFile(kind: Kind): Kind {
  return { ...kind, size: SIZE_IN_ONE_FILE };
}

/** Kinds as they are asked for. */
export const targets: readonly Kind[] = [
  ...columns,
  ...kinds.filter(({ format, isCompressed }) => format === "qcow2" && isCompressed),
];

function isConverted(from: Kind, to: Kind): boolean {
  if (from.format !== to.format) return true;
  if (isSplit(from) || from.title === to.title) return false;
  return (to.isCompressed && !from.isCompressed) || to.asked?.subformat !== undefined;
}

function optionWords(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

export interface Trial {
  readonly name: string;
  /** Throws where it fails. */
  run(): Promise<void>;
}

/** A folder with the disks that boot; all that a trial makes in it is gone when it ends. */
export class BootTrials {
  readonly #folder: string;
  readonly #seed: number;
  readonly #disks = new Map<number, { readonly path: string; readonly disk: BootDisk }>();

  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#seed = seed;
  }

  /** Raw to each format, and each format to qcow2 and to raw; or each into each. */
  conversions(isEach: boolean): readonly Trial[] {
    const isHub = ({ title }: Kind) => title === "qcow2" || title === "raw";
    return sources.flatMap((from) =>
      targets
        .filter((to) => isConverted(from, to) && (isEach || from === raw || isHub(to)))
        .map((to) => ({
          name: `${from.title} to ${to.title}`,
          run: () => this.#inFolder((folder) => this.#convertAndBoot(folder, from, to)),
        })),
    );
  }

  /** What has to hold before any other trial proves anything: a sound disk boots, and a damaged one is seen for what it is. */
  selfTests(): readonly Trial[] {
    const qcow2 = targets.find(({ title }) => title === "qcow2") as Kind;
    const trial = (name: string, act: (path: string, disk: BootDisk) => Promise<void>): Trial => ({
      name,
      run: () => this.#inFolder((folder) => act(this.#make(folder, raw), this.#disk(SIZE).disk)),
    });
    const changedBit = (where: string, index: number) =>
      trial(`a changed bit ${where} is seen`, async (path, disk) => {
        const sector = damage(path, disk, index);
        await expectRefuted(path, "raw", disk, `reads other bytes at sector ${sector}`);
      });
    return [
      trial("the disk itself boots", (path, disk) => expectBoots(path, "raw", disk)),
      changedBit("in the first sectors", 0),
      changedBit("in the middle", 20),
      changedBit("in a hole", -1),
      trial("a changed bit in the last sectors is seen behind a conversion", async (path, disk) => {
        const sector = damage(path, disk, disk.places.indexOf(SIZE / 512 - SECTORS_A_PLACE));
        await expectRefuted(convertedBy(path, raw, qcow2), "qcow2", disk, `reads other bytes at sector ${sector}`);
      }),
      trial("an end that is missing is seen", async (path, disk) => {
        run("truncate", ["-s", `-${MiB}`, path]);
        await expectRefuted(path, "raw", disk, 'says "unreadable"');
      }),
      trial("a boot sector that is missing is seen", async (path, disk) => {
        run("dd", ["if=/dev/zero", `of=${path}`, "count=1", "conv=notrunc", "status=none"]);
        await expectRefuted(path, "raw", disk, "did not boot");
      }),
    ];
  }

  async #inFolder(act: (folder: string) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(join(this.#folder, "trial-"));
    try {
      await act(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  #disk(size: number): { readonly path: string; readonly disk: BootDisk } {
    const made = this.#disks.get(size);
    if (made !== undefined) return made;
    const path = join(this.#folder, `${size}.raw`);
    const entry = { path, disk: writeBootDisk(path, size, this.#seed) };
    this.#disks.set(size, entry);
    return entry;
  }

  async #convertAndBoot(folder: string, from: Kind, to: Kind): Promise<void> {
    const { disk } = this.#disk(from.size ?? SIZE);
    const image = convertedBy(this.#make(folder, from), from, to);
    await expectBoots(...shownTo(folder, image, to), disk);
  }

  /** The disk in a format, as `disk.img`. */
  #make(folder: string, kind: Kind): string {
    const { path: from } = this.#disk(kind.size ?? SIZE);
    const path = join(folder, "disk.img");
    if (kind.format === "raw" || kind.isOurs) run("cp", ["--sparse=always", from, path]);
    else {
      const words = [...(kind.isCompressed ? ["-c"] : []), ...optionWords(kind.made ?? {})];
      run("qemu-img", ["convert", "-f", "raw", "-O", kind.format, ...words, from, path]);
    }
    if (kind.isOurs) convertedBy(path, raw, kind);
    return path;
  }
}

/** Where the disk is then. */
function convertedBy(path: string, from: Kind, to: Kind): string {
  const words = [...(to.isCompressed ? ["-c"] : []), ...optionWords(to.asked ?? {})];
  const named = from.format === "raw" ? ["-f", "raw"] : [];
  const said = run(process.execPath, [command, "convert", path, to.format, ...named, ...words, "--output", "json"]);
  const report = JSON.parse(said);
  if (!report.changed) throw new Error(`nothing was converted: it is ${report["source-format"]} already`);
  return report["image-after"] ?? path;
}

/** What QEMU is shown of it: of an OVA the disk that tar takes out. */
function shownTo(folder: string, image: string, { format }: Kind): readonly [path: string, format: string] {
  if (format !== "ova") return [image, format];
  run("tar", ["-xf", image, "-C", folder]);
  return [join(folder, readdirSync(folder).find((name) => name.endsWith("-disk1.vmdk")) ?? ""), "vmdk"];
}

async function expectBoots(path: string, format: string, disk: BootDisk): Promise<void> {
  const { said, exitCode, complaint } = await boot(path, format);
  if (said !== disk.says) throw new Error(`${whereDiffers(said, disk)}${complaint && `; QEMU: ${complaint}`}`);
  if (exitCode !== exitCodes.read) throw new Error(`QEMU ended with ${exitCode}, not ${exitCodes.read}: ${complaint}`);
}

async function expectRefuted(path: string, format: string, disk: BootDisk, why: string): Promise<void> {
  const said = await expectBoots(path, format, disk).then(
    () => "nothing wrong",
    ({ message }: Error) => message,
  );
  if (!said.includes(why)) throw new Error(`${why} was expected: ${said}`);
}

function whereDiffers(said: string, { says, places }: BootDisk): string {
  const [got, wanted] = [said.split(" "), says.split(" ")];
  const at = wanted.findIndex((word, index) => word !== got[index]);
  if (at <= 0) return `it did not boot: ${JSON.stringify(said)}`;
  const what = got[at]?.match(/^[0-9a-f]{8}$/) ? "reads other bytes" : `says ${JSON.stringify(got[at] ?? "nothing")}`;
  return `the guest ${what} at sector ${places[at - 1]}`;
}

function run(program: string, words: readonly string[]): string {
  try {
    return execFileSync(program, words, { encoding: "utf8", timeout: PATIENCE, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { message, stdout = "" } = error as Error & { readonly stdout?: string };
    throw new Error(`${message}${stdout}`, { cause: error });
  }
}
