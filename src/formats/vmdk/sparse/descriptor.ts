/** The descriptor inside a sparse extent: the names of files in it say nothing, the rest must agree with the header. */

import { parseDescriptor, type Refuse, refusing, type VmdkDescriptor } from "../descriptor.ts";
import { onlyExtent } from "../rules.ts";
import { partOf, type SparseHeader } from "./header.ts";

/** Of one file, with the tables that the header tells of. */
const SPARSE_TYPES = ["monolithicSparse", "streamOptimized"];

/** Throws ImageError for the first rule that is broken. */
export function readSparseDescriptor(bytes: Uint8Array, header: SparseHeader, path: string): VmdkDescriptor {
  // QEMU leaves room for one in each file of several.
  if (bytes.every((byte) => byte === 0)) throw partOf(path, header.descriptorOffset);
  const refuseThere = refusing(path);
  const refuse: Refuse = (kind, because, at, remedy) =>
    refuseThere(kind, because, header.descriptorOffset + at, remedy);
  const descriptor = parseDescriptor(bytes, refuse);
  const { access, type, sectors, at } = onlyExtent(descriptor, SPARSE_TYPES, refuse);
  if (type !== "SPARSE") throw refuse("unsupported", `its extent is ${type}, not SPARSE`, at);
  if (access === "NOACCESS") throw refuse("unsupported", `its extent is ${access}`, at);
  const { capacity } = header.values;
  if (sectors !== capacity)
    throw refuse("corrupt", `its descriptor gives its disk ${sectors} sectors, its header ${capacity}`, at);
  return descriptor;
}
