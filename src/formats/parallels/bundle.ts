/**
 * The text beside a bundle's images that says what each of them is (docs/interop/prl-xml of QEMU): as much of XML as that takes.
 *
 *   <Parallels_disk_image Version="1.0">
 *     <Disk_Parameters> <Padding>0</Padding> <Encryption> <Engine> ...
 *     <StorageData> <Storage> <Image> <File>root.hds</File> ...    further ones hold what differs, or further stretches of the disk
 *     <Snapshots> <Shot> ...
 */

import { counted } from "../../bytes/count-text.ts";
import type { BundlePart, BundleText } from "../../image/driver.ts";

const ROOT = "/Parallels_disk_image";
const STORAGE = `${ROOT}/StorageData/Storage`;
const MERGE = "make one image of it first, by deleting its snapshots or copying the disk where it was made";
const NOT_ITS = "where it is not about this image, move it away first";
/** A real one has some dozens. */
const MAX_ELEMENTS = 10_000;
const MAX_DEPTH = 32;

export const bundle: BundleText = {
  fileName: "DiskDescriptor.xml",

  whyPart(text, imageName): BundlePart | undefined {
    const elements = elementsOf(text);
    const files = elements?.get(`${STORAGE}/Image/File`) ?? [];
    if (elements === undefined || !elements.has(ROOT))
      return { because: "can't be read as the text of a bundle", remedy: NOT_ITS };
    if (!files.some((file) => lastName(file) === imageName)) return undefined;
    const count = (path: string) => elements.get(path)?.length ?? 0;
    const says = (what: string) => ({ because: `says that ${what}`, remedy: MERGE });
    if (count(STORAGE) > 1) return says(`its disk is split into ${count(STORAGE)} parts`);
    if (files.length > 1)
      return says(
        `its disk is made of ${counted(files.length, "image")}, of which one holds only what differs from another`,
      );
    if (count(`${ROOT}/Snapshots/Shot`) > 1) return says(`its disk has ${count(`${ROOT}/Snapshots/Shot`)} snapshots`);
    // A real one that is not encrypted has an engine of zeros.
    if (elements.get(`${ROOT}/Disk_Parameters/Encryption/Engine`)?.some((engine) => /[1-9a-z]/i.test(engine)))
      return says("its disk is encrypted");
    if (elements.get(`${ROOT}/Disk_Parameters/Padding`)?.some((padding) => padding !== "0"))
      return says("its disk is padded, which nobody but Parallels knows how to read");
    return undefined;
  },
};

function lastName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** One piece of markup, or the text between two; no two of its parts can take the same characters in two ways. */
const TOKEN =
  /<(?<name>[\w:.-]+)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(?<isEmpty>\/?)>|<\/(?<end>[\w:.-]+)\s*>|<\?[^?]*(?:\?(?!>)[^?]*)*\?>|<!--[^-]*(?:-(?!->)[^-]*)*-->|(?<text>[^<]+)/y;

/** The texts of all elements by their paths, in order; undefined for what is no XML, or more of it than a descriptor needs. */
function elementsOf(bytes: Uint8Array): ReadonlyMap<string, readonly string[]> | undefined {
  const source = Buffer.from(bytes)
    .toString("utf8")
    .replace(/^\ufeff/, "");
  const found = new Map<string, string[]>();
  const open: { readonly name: string; readonly path: string; text: string }[] = [];
  const close = (path: string, text: string): void => {
    const texts = found.get(path);
    if (texts === undefined) found.set(path, [text]);
    else texts.push(text);
  };
  let count = 0;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const { name, isEmpty, end, text } = TOKEN.exec(source)?.groups ?? {};
    // What doesn't match begins anew.
    if (TOKEN.lastIndex === 0) return undefined;
    const inside = open.at(-1);
    if (name !== undefined) {
      const path = `${inside?.path ?? ""}/${name}`;
      if (++count > MAX_ELEMENTS || open.length >= MAX_DEPTH) return undefined;
      if (isEmpty) close(path, "");
      else open.push({ name, path, text: "" });
    } else if (end !== undefined) {
      if (inside?.name !== end) return undefined;
      open.pop();
      close(inside.path, plain(inside.text).trim());
    } else if (text !== undefined) {
      if (inside !== undefined) inside.text += text;
      else if (text.trim() !== "") return undefined;
    }
  }
  return open.length === 0 ? found : undefined;
}

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function plain(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi, (whole, decimal, hex, name) => {
    const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : undefined;
    if (code === undefined) return NAMED[name] ?? whole;
    return code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
  });
}
