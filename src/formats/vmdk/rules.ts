/** What VMDKs are refused for alike, by what their descriptors say. */

import { NO_PARENT, type Refuse, type VmdkDescriptor, type VmdkExtent } from "./descriptor.ts";

export const COPY_IT = "make a qcow2 copy of it first: qemu-img convert -f vmdk -O qcow2";

/** Throws ImageError for a type that is none of those that are read, and for a disk over another. */
export function refuseUnread(
  { createType, parentCid, values, placeOf }: VmdkDescriptor,
  types: readonly string[],
  refuse: Refuse,
): void {
  if (!types.includes(createType)) {
    const because = `it is a VMDK image (${printable(createType)}), which can't be read yet`;
    throw refuse("unsupported", because, placeOf("createType"), COPY_IT);
  }
  if (parentCid !== NO_PARENT || values.has("parentfilenamehint")) {
    const because = "it is a VMDK image that holds what differs from another, its parent";
    throw refuse("unsupported", because, placeOf("parentCID"), COPY_IT);
  }
}

/** Of the types that are read, the one extent. Throws ImageError for any other, a parent, and more extents than one. */
export function onlyExtent(descriptor: VmdkDescriptor, types: readonly string[], refuse: Refuse): VmdkExtent {
  refuseUnread(descriptor, types, refuse);
  const { createType, extents } = descriptor;
  const [extent, second] = extents;
  if (extent === undefined) throw refuse("corrupt", "its descriptor names no extent", 0);
  if (second !== undefined)
    throw refuse("corrupt", `its descriptor names two extents, ${createType} has one`, second.at);
  return extent;
}

/** For messages: short, and nothing that a terminal takes for something else. */
export function printable(text: string): string {
  return text.slice(0, 100).replace(/[^ -~]/g, "?");
}
