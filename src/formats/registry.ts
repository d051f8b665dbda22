/** How an image's format is found among those that we know: exactly one whose marks it bears, raw only by name. */

import { ImageError, UsageError } from "../bytes/image-error.ts";
import { imageNamed, option, say } from "../bytes/sentence.ts";
import type { BundleText, FormatDriver, ImageFiles, InnerImages, NamedDisk } from "../image/driver.ts";
import type { Image } from "../image/source.ts";
import { parseOptionValue, type TargetOption, type TargetOptionValues } from "../image/target-options.ts";
import type { Storage } from "../storage/storage.ts";
import { formatDrivers } from "./drivers.ts";
import { FileEnds } from "./file-ends.ts";
import type { KnownMark } from "./known-marks.ts";
import { adviceOn } from "./mark-advice.ts";
import { refusalOf } from "./refusal.ts";
import { endsOf, findStranger, matchingDrivers, rivalsOf } from "./strangers.ts";

export { formatDrivers } from "./drivers.ts";

/** The driver by qemu-img's name or another that people use; throws UsageError for a format that we don't know. */
export function driverOf(format: string): FormatDriver {
  const driver = formatDrivers.find(({ name, aliases }) => name === format || aliases.includes(format));
  if (driver !== undefined) return driver;
  const known = formatDrivers.map((candidate) => candidate.name).join(", ");
  throw new UsageError(`Cannot use the format ${format === "" ? '""' : format}: the formats are ${known}`);
}

/** Loads the code of every format: from then on no file of ours has to be there any more. */
export async function loadFormats(): Promise<void> {
  await Promise.all(formatDrivers.map((driver) => driver.load?.()));
}

/** The format in which units are brought to the places that others fix. */
export function carrierDriver(): FormatDriver {
  const carrier = formatDrivers.find(({ isCarrier }) => isCarrier);
  if (carrier === undefined) throw new UsageError("Cannot bring units to fixed places: no format can");
  return carrier;
}

/** The format in which units are brought together. */
export function hubDriver(): FormatDriver {
  const hub = formatDrivers.find(({ isHub }) => isHub);
  if (hub === undefined) throw new UsageError("Cannot bring units together: no format can");
  return hub;
}

/** Whether an image of the format, made with these options, holds its disk in one piece. */
export function isMadeInOnePiece({ onePiece }: FormatDriver, options: Readonly<Record<string, unknown>>): boolean {
  return onePiece !== undefined && !onePiece.unless?.(options);
}

/** The one driver whose mark the image bears; throws ImageError `not-this-format` for none, `unsupported` for more. */
export async function probeFormat(storage: Storage): Promise<FormatDriver> {
  const ends = await endsOf(storage);
  const matches = matchingDrivers(ends);
  const [first] = matches;
  const details = { path: storage.path, hostOffset: 0, operation: "probe" };
  if (first === undefined) {
    // The text beside it says what it should be.
    const text = await storage.sidecar?.();
    const said = text && matchingDrivers(FileEnds.in(text.bytes)).find(({ diskOf }) => diskOf);
    if (said !== undefined) return said;
    const mark = await findStranger(storage);
    if (mark !== undefined) {
      throw new ImageError("unsupported", say`Cannot open ${imageNamed(storage.path)}`, {
        ...details,
        because: `it is ${mark.name}`,
        remedy: adviceOn(mark),
      });
    }
    if ((await storage.size()) === 0) {
      throw new ImageError("not-this-format", say`Cannot open ${imageNamed(storage.path)}`, {
        ...details,
        because: "it is empty, a file of 0 bytes",
        remedy: "look at what should have filled it",
      });
    }
    throw new ImageError("not-this-format", say`Cannot tell the format of ${imageNamed(storage.path)}`, {
      ...details,
      because: "no known magic",
      remedy: say`if it is raw, say so with ${option("format", "raw")}`,
    });
  }
  const rivals = rivalsOf(first, ends);
  if (matches.length + rivals.length > 1) {
    const names = [...matches.map(({ name }) => name), ...rivals].join(" and ");
    throw new ImageError("unsupported", say`Cannot tell the format of ${imageNamed(storage.path)}`, {
      ...details,
      because: `it looks like ${names}`,
      remedy: say`name it with ${option("format")}`,
    });
  }
  return first;
}

/** What a file says that it is: a driver's name, or that of a format which none of them opens; undefined where it says nothing. */
export async function formatToldBy(storage: Storage): Promise<string | undefined> {
  const ends = await endsOf(storage);
  const [driver] = matchingDrivers(ends);
  return driver?.name ?? (await findStranger(storage))?.name;
}

/** Which disk image a file says that it is, as it goes on after "looks like"; undefined where it says nothing, or something else, an archive for one. */
export async function imageToldBy(storage: Storage): Promise<string | undefined> {
  const [driver] = matchingDrivers(await endsOf(storage));
  if (driver !== undefined) return driver.isArchive ? undefined : asImage(driver);
  const mark = await findStranger(storage);
  return mark?.advice === "qemu-img" ? mark.name : undefined;
}

function asImage({ name }: FormatDriver): string {
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name} image`;
}

/** Whether files of that name mostly are such texts, so that it is worth looking. */
export function isTextName(name: string): boolean {
  const lower = name.toLowerCase();
  return formatDrivers.some(({ diskOf, extensions }) => diskOf && extensions.some((each) => lower.endsWith(each)));
}

/** Whether a file that begins so is a text that says which other one holds its disk. */
export function speaksOfDisk(head: Uint8Array): boolean {
  return matchingDrivers(FileEnds.in(head)).some(({ diskOf }) => diskOf);
}

/** The file that a text says holds its disk; undefined where it is no such text. Throws ImageError. */
export function diskOf(text: Uint8Array, path: string): NamedDisk | undefined {
  const [driver] = matchingDrivers(FileEnds.in(text));
  return driver?.diskOf?.(text, path);
}

/** Whether the file is still of the format that the text beside it says it is. */
export async function isAsTextSays(storage: Storage, text: Uint8Array): Promise<boolean> {
  const [driver] = matchingDrivers(FileEnds.in(text));
  return driver !== undefined && driver.name === (await formatToldBy(storage));
}

/** All files that a text names as its disk or a part of it, as they stand there; none of what is no such text. */
export function filesNamedIn(text: Uint8Array): readonly string[] {
  return matchingDrivers(FileEnds.in(text)).flatMap((driver) => driver.filesNamedIn?.(text) ?? []);
}

/** The texts that may say an image of the format is only a part of a disk: its own, and of what says nothing of itself any format's. */
export function bundleTextsOf(format: string): readonly BundleText[] {
  return formatDrivers.flatMap(({ name, bundle }) => (bundle && (name === format || !isTold(format)) ? bundle : []));
}

/** Whether it is an archive with an image of another format in it, which qemu-img doesn't know. */
export function isArchive(format: string): boolean {
  return driverOf(format).isArchive ?? false;
}

/** Whether a file can say that it is of this format; raw can't. */
export function isTold(format: string): boolean {
  return driverOf(format).marks.length > 0;
}

/** How an image is opened that the user named. */
export interface OpenAs {
  /** Take bytes for raw that bear another format's mark (`--allow-marked-raw`). Default false. */
  readonly allowMarkedRaw?: boolean | undefined;
  /** `-o`, of which a driver takes what it has in its `openOptions`. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  /** Gives a file beside the image that its own text names; by default none may be read. */
  readonly beside?: ImageFiles["beside"] | undefined;
}

/** Opens an image as `format`, or as what its first bytes say; throws ImageError, or UsageError for an unknown name. */
export async function openImage(storage: Storage, format?: string, options: OpenAs = {}): Promise<Image> {
  const driver = format === undefined ? await probeFormat(storage) : driverOf(format);
  const given = openOptionsFor(driver, options.options ?? {});
  // What has no mark of its own takes any bytes for its guest's.
  if (driver.marks.length === 0 && !options.allowMarkedRaw) await refuseMarked(storage, driver.name);
  try {
    return await driver.open({ main: storage, beside: options.beside ?? noneBeside(storage), options: given, inside });
  } catch (error) {
    throw await refusalOf(error, storage.path, () => strangerIn(storage));
  }
}

/** What a driver of archives is given. */
export const inside: InnerImages = {
  async formatOf(stretch) {
    const [driver] = matchingDrivers(await endsOf(stretch)).filter(({ isArchive }) => !isArchive);
    return driver?.name;
  },
  async open(stretch) {
    const driver = await probeFormat(stretch);
    if (!driver.isArchive) return driver.open({ main: stretch, beside: noneBeside(stretch), inside });
    throw new ImageError("unsupported", say`Cannot open ${imageNamed(stretch.path)}`, {
      because: "it is an archive itself",
      path: stretch.path,
      hostOffset: 0,
    });
  },
};

/**
 * Opens an image whose format a plan or a journal knows: no mark speaks against it, since the bytes have been consented to
 * or come from the guest itself.
 */
export function reopenImage(storage: Storage, format: string, options?: OpenAs["options"]): Promise<Image> {
  return openImage(storage, format, { allowMarkedRaw: true, options });
}

/** What a driver's `openOptions` hold under a name; undefined where none has it. */
export function openOptionOf(name: string): TargetOption | undefined {
  return formatDrivers.flatMap(({ openOptions = [] }) => openOptions).find((known) => known.name === name);
}

/** Of what was said after `-o`, how a source of that format is to be read. */
export function openOptionsOf(
  format: string,
  said: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { openOptions = [] } = driverOf(format);
  return Object.fromEntries(Object.entries(said).filter(([name]) => openOptions.some((known) => known.name === name)));
}

/** Throws UsageError for what only another format's source could use. */
function openOptionsFor(
  { name: format, openOptions = [] }: FormatDriver,
  given: Readonly<Record<string, string>>,
): TargetOptionValues {
  const values: Record<string, string | number | boolean> = {};
  for (const [name, text] of Object.entries(given)) {
    const known = openOptions.find((candidate) => candidate.name === name);
    if (known !== undefined) values[name] = parseOptionValue(known, text);
    else if (openOptionOf(name) !== undefined)
      throw new UsageError(`Cannot use option ${name}: the image is ${format}, of which there is nothing to say by it`);
  }
  return values;
}

/** A guest's own bytes at the end of a file prove nothing where the header is a format's of ours. */
async function strangerIn(storage: Storage): Promise<KnownMark | undefined> {
  return matchingDrivers(await endsOf(storage)).length > 0 ? undefined : findStranger(storage);
}

/** A container taken for a disk gives a digest of the container: only whoever says so twice has meant it. */
async function refuseMarked(storage: Storage, format: string): Promise<void> {
  const { path } = storage;
  const ends = await endsOf(storage);
  const [driver] = matchingDrivers(ends);
  const mark = driver === undefined ? await findStranger(storage) : undefined;
  if (driver === undefined && mark === undefined) return;
  const name = mark?.name ?? (driver && asImage(driver));
  const advice = mark === undefined ? say`name it with ${option("format", driver?.name)}` : adviceOn(mark);
  throw new ImageError("unsupported", say`Cannot take ${imageNamed(path)} for ${format}`, {
    because: `it is ${name}`,
    remedy: [advice, say`take its own bytes for the disk with ${option("allow-marked-raw")}`],
    path,
    format,
    hostOffset: 0,
    operation: "probe",
  });
}

function noneBeside({ path }: Storage): ImageFiles["beside"] {
  return async (name) => {
    throw new ImageError("unsupported", `Cannot open ${path}: a part of it lies in another file, ${name}`, { path });
  };
}
