/** The name of a file in a folder that is known already: nothing that could lead elsewhere, or that programs take for something else. */

/** What file systems take, in bytes. */
const MAX_NAME_LENGTH = 255;

/** Why a text is none, as it goes on after "it"; undefined for a plain name. */
export function whyNoPlainName(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name === "." || name === "..") return "is a folder's";
  if (/[/\\]/.test(name)) return "leads to another folder";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\0-\x1f\x7f"]/.test(name)) return "holds a quote or a control character";
  // QEMU takes what stands before it for a protocol, Windows for a drive.
  if (name.includes(":")) return "holds a colon";
  if (Buffer.byteLength(name) > MAX_NAME_LENGTH) return `is longer than ${MAX_NAME_LENGTH} bytes`;
  // What does not come back as it was is no text of characters.
  return /[\ufffd\p{Surrogate}]/u.test(name) ? "is no text in UTF-8" : undefined;
}
