/** What servers send in the place of a file with success in their answer: pages, errors, pointers; told by how it begins. */

/** So many first bytes suffice. */
export const STRAY_LENGTH = 1024;

const LFS_POINTER = "version https://git-lfs.github.com/spec/";

/** `an HTML page ("Sign in")`; undefined for all else. No disk image and no compressed file begins like these. */
export function strayContent(start: Uint8Array): string | undefined {
  const text = Buffer.from(start)
    .toString("utf8")
    .replace(/^\ufeff/, "")
    .trimStart();
  if (text.startsWith(LFS_POINTER)) return "a pointer of Git LFS, not the file that it stands for";
  // Comments and XML's own first line may stand before a page's.
  const beginning = text.replace(/^(?:<!--[\s\S]*?-->\s*|<\?xml[^>]*\?>\s*)*/i, "");
  if (/^<(?:!doctype\s+html|html|head|body|title|script)\b/i.test(beginning)) {
    const [, title = ""] = /<title[^>]*>\s*([^<]{1,80}?)\s*</i.exec(beginning) ?? [];
    return `an HTML page${title === "" ? "" : ` ("${title.replaceAll(/\s+/g, " ")}")`}`;
  }
  if (/^<\?xml\b/i.test(text)) return "an XML document, as stores answer with errors";
  return undefined;
}
