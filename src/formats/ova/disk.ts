/** Which member of an OVA is its disk: the one that bears a disk image's mark, or that its descriptor says is one. */

import { counted } from "../../bytes/count-text.ts";
import { listed, membersMeant } from "../../bytes/digest-manifest.ts";
import { isOvfName, MAX_OVF_BYTES, type OvfDisk, ovfDisks } from "../../bytes/ovf-text.ts";
import type { InnerImages } from "../../image/driver.ts";
import { SliceStorage } from "../../storage/slice.ts";
import { readExactly, type Storage } from "../../storage/storage.ts";
import type { Archive, Member } from "./archive.ts";
import { FETCH_AGAIN, named, type Refuse, refusalsOf, TAKE_OUT } from "./refusal.ts";

const MOST_NAMED = 50;

export interface Found {
  readonly disk: Member;
  readonly descriptor: Member;
  readonly descriptorBytes: Uint8Array;
}

/** Throws ImageError where there is none, or more than one, or it is packed: all are named. */
export async function findDisk(storage: Storage, { members }: Archive, inside: InnerImages): Promise<Found> {
  const refuse = refusalsOf(storage.path, "OVF descriptor");
  const descriptors = members.filter(({ name }) => isOvfName(name));
  const [descriptor, second] = descriptors;
  if (descriptor === undefined) {
    const because = "it is a tar archive without an OVF descriptor (.ovf), so it is no OVA";
    throw refuse("unsupported", because, 0, "take the image out of it first, with tar -xf");
  }
  if (second !== undefined) {
    const names = listed(descriptors.map(({ name }) => name));
    throw refuse("unsupported", `it holds ${counted(descriptors.length, "OVF descriptor")}: ${names}`, second.start);
  }
  const descriptorBytes = await readDescriptor(storage, descriptor, refuse);
  const said = namedDisks(descriptorBytes, members, descriptor, refuse);
  const disks: Member[] = [];
  for (const member of members) {
    const part = new SliceStorage(storage, member.start, member.size);
    if (said.has(member) || (await inside.formatOf(part)) !== undefined) disks.push(member);
  }
  const [disk, other] = disks;
  if (disk === undefined) throw refuse("unsupported", "no disk is in it", descriptor.start, FETCH_AGAIN);
  if (other !== undefined) {
    const names = listed(
      disks.map(({ name }) => named(name)),
      MOST_NAMED,
    );
    const because = `it holds ${counted(disks.length, "disk")}: ${names}`;
    throw refuse("unsupported", because, other.start, "take them out of the archive, with tar -xf, and convert each");
  }
  return { disk, descriptor, descriptorBytes };
}

async function readDescriptor(storage: Storage, { name, start, size }: Member, refuse: Refuse): Promise<Uint8Array> {
  if (size > MAX_OVF_BYTES) throw refuse("unsupported", `its descriptor ${name} is larger than 1 MiB`, start);
  return readExactly(storage, start, size, "OVF descriptor");
}

/** The members that the descriptor says are disks. Its sizes are not looked at: the disk's own header has them. */
function namedDisks(
  descriptor: Uint8Array,
  members: readonly Member[],
  { name, start }: Member,
  refuse: Refuse,
): ReadonlySet<Member> {
  const disks = ovfDisks(descriptor);
  if (disks === undefined) throw refuse("corrupt", `its ${name} is no OVF descriptor`, start);
  const byName = new Map(members.map((member) => [member.name, member]));
  const found = new Set<Member>();
  for (const disk of disks) {
    const { href, compression, isChunked } = disk;
    if (href === undefined) throw refuse("corrupt", `its descriptor ${name} names a disk, and no file of it`, start);
    if (isChunked) throw refuse("unsupported", `its disk ${named(href)} is cut into pieces`, start, TAKE_OUT);
    const member = memberOf(disk, name, byName);
    if (member === undefined) throw refuse("corrupt", `its disk ${named(href)} is not in it`, start);
    if (compression !== undefined)
      throw refuse(
        "unsupported",
        `its disk ${named(href)} is packed (${compression})`,
        member.start,
        `${TAKE_OUT}, and unpack it`,
      );
    found.add(member);
  }
  return found;
}

/** A reference is a URI, whose characters may be written by their numbers. */
function memberOf({ href = "" }: OvfDisk, descriptor: string, byName: ReadonlyMap<string, Member>): Member | undefined {
  const names = [href, decoded(href)].flatMap((each) => membersMeant(descriptor, each));
  return names.map((each) => byName.get(each)).find((each) => each !== undefined);
}

function decoded(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}
