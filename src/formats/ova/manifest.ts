/** An OVA's manifest (DSP0243, section 6.2): what it says of the members' bytes is proven, in one reading of each. */

import { MiB } from "../../bytes/align.ts";
import {
  agreementText,
  isManifestName,
  MAX_MANIFEST_BYTES,
  manifestText,
  membersMeant,
  type TaggedAlgorithm,
  type TaggedLine,
} from "../../bytes/digest-manifest.ts";
import { FindingList, type FindingListener } from "../../image/finding.ts";
import { crypto } from "../../storage/built-ins.ts";
import { readExactly, type Storage } from "../../storage/storage.ts";
import type { Member } from "./archive.ts";
import { named } from "./refusal.ts";

export interface Proof {
  readonly findings: FindingList;
  /** What agrees, and what nothing is said of. */
  readonly notes: readonly string[];
}

export interface ToProve {
  readonly members: readonly Member[];
  readonly disk: Member;
  readonly onFinding?: FindingListener | undefined;
  /** Of the members' bytes, as they are read; may throw. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

interface Line extends TaggedLine {
  readonly member: Member;
}

/** Throws ImageError only for what can't be read. */
export async function proveManifests(
  storage: Storage,
  { members, disk, onFinding, onRead = () => {} }: ToProve,
): Promise<Proof> {
  const findings = new FindingList(onFinding);
  const notes: string[] = [];
  const byName = new Map(members.map((member) => [member.name, member]));
  for (const manifest of members.filter(({ name }) => isManifestName(name))) {
    const { name, start, size } = manifest;
    const add = (kind: string, hostOffset: number, message: string) =>
      findings.add({ severity: "corruption", kind, structure: `manifest ${name}`, hostOffset, message });
    if (size > MAX_MANIFEST_BYTES) {
      add("manifest-unreadable", start, `Its manifest ${name} is larger than 1 MiB`);
      continue;
    }
    const text = manifestText(Buffer.from(await readExactly(storage, start, size, "manifest")).toString("utf8"));
    if (text === undefined) continue;
    if (text.badLine !== undefined)
      add("manifest-unreadable", start, `Line ${text.badLine} of its manifest ${name} is no digest of a file`);
    const lines: Line[] = [];
    for (const line of text.lines) {
      const member = membersMeant(name, line.name)
        .map((each) => byName.get(each))
        .find((each) => each !== undefined);
      if (member !== undefined) lines.push({ ...line, member });
      else add("member-missing", start, `Its manifest ${name} names ${named(line.name)}, which isn't in it`);
    }
    const proven = await proveLines(storage, lines, onRead, ({ member, algorithm, hex }, found) =>
      add(
        "digest-mismatch",
        member.start,
        `Its member ${named(member.name)} has ${algorithm} ${found}, and its manifest ${name} says ${hex}`,
      ),
    );
    if (proven.size > 0) notes.push(agreementText(name, storage.path, proven));
    if (!lines.some(({ member, algorithm }) => member === disk && algorithm !== undefined))
      notes.push(`The manifest ${name} in ${storage.path} proves nothing of ${named(disk.name)}`);
  }
  return { findings, notes };
}

/** Members that are as they are said to be, with the algorithms as they are written; `contradict` hears the others. */
async function proveLines(
  storage: Storage,
  lines: readonly Line[],
  onRead: (bytes: number) => void,
  contradict: (line: Line, found: string) => void,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const proven = new Map<string, Set<string>>();
  const wrong = new Set<string>();
  const byMember = new Map<Member, Line[]>();
  for (const line of lines) {
    if (line.algorithm === undefined) continue;
    const own = byMember.get(line.member);
    if (own === undefined) byMember.set(line.member, [line]);
    else own.push(line);
  }
  for (const [member, own] of byMember) {
    const algorithms = new Set(own.map(({ algorithm }) => algorithm as TaggedAlgorithm));
    const digests = await digestsOf(storage, member, algorithms, onRead);
    for (const line of own) {
      const found = digests.get(line.algorithm as TaggedAlgorithm) ?? "";
      const name = named(member.name);
      if (found === line.hex) proven.set(name, (proven.get(name) ?? new Set()).add(line.tag.toUpperCase()));
      else {
        wrong.add(name);
        contradict(line, found);
      }
    }
  }
  for (const name of wrong) proven.delete(name);
  return proven;
}

/** Of a member's bytes, in hex; the next are read while the last ones are counted. */
async function digestsOf(
  storage: Storage,
  { start, size }: Member,
  algorithms: ReadonlySet<TaggedAlgorithm>,
  onRead: (bytes: number) => void,
): Promise<ReadonlyMap<TaggedAlgorithm, string>> {
  const hashes = [...algorithms].map((algorithm) => [algorithm, crypto().createHash(algorithm)] as const);
  if (hashes.length === 0) return new Map();
  const chunk = Math.min(MiB, size);
  const buffers = [new Uint8Array(chunk), new Uint8Array(chunk)] as const;
  const read = async (at: number, turn: number) => {
    const bytes = buffers[turn as 0 | 1].subarray(0, Math.min(chunk, size - at));
    // What the file lost meanwhile is zeros.
    bytes.fill(0, await storage.read(start + at, bytes));
    return bytes;
  };
  let next = size > 0 ? read(0, 0) : undefined;
  for (let at = 0, turn = 1; next !== undefined; turn = 1 - turn) {
    const bytes: Uint8Array = await next;
    at += bytes.length;
    next = at < size ? read(at, turn) : undefined;
    // It is asked for in the next round, or not at all where a hash fails.
    next?.catch(() => {});
    onRead(bytes.length);
    for (const [, hash] of hashes) hash.update(bytes);
  }
  return new Map(hashes.map(([algorithm, hash]) => [algorithm, hash.digest("hex")]));
}
