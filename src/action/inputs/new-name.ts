/** The name that an image gets once it has another format. */

import { extensionsOf, imageExtensions } from "../../index.ts";

/** `disk.qed` becomes `disk.qcow2`; a name without an image's extension stays. */
export function nameFor(path: string, format: string): string {
  const found = imageExtensions().find((extension) => path.toLowerCase().endsWith(extension));
  const [wanted] = extensionsOf(format);
  // On many file systems `disk.QCOW2` and `disk.qcow2` are one name.
  return found === undefined || wanted === undefined || found === wanted ? path : path.slice(0, -found.length) + wanted;
}
