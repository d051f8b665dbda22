/** The name that an image gets once it has another format. */

/** Extensions that say what an image is; one of them becomes the target's. */
const IMAGE_EXTENSION = /\.(?:qcow2?|qed|raw|img|vhdx?|vpc|vmdk|vdi|hdd|hds|parallels)$/i;

/** `disk.qed` becomes `disk.qcow2`; a name without an image's extension stays. */
export function nameFor(path: string, format: string): string {
  const wanted = format === "vpc" ? ".vhd" : `.${format}`;
  // On many file systems `disk.QCOW2` and `disk.qcow2` are one name.
  return path.replace(IMAGE_EXTENSION, (found) => (found.toLowerCase() === wanted ? found : wanted));
}
