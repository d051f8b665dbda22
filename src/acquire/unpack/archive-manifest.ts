/**
 * An archive's own manifest (DSP0243, section 6.2: lines of `SHA256(name)= HEX` in a file `.mf`): what it says of the
 * images is proven. Whoever made the archive made its manifest, so that a match is no proof against forgery.
 */

import { createHash, type Hash } from "node:crypto";
import {
  agreementText,
  listed,
  manifestText,
  membersMeant,
  plainMember,
  type TaggedAlgorithm,
  type TaggedLine,
} from "../../bytes/digest-manifest.ts";
import { ImageError } from "../../index.ts";
import type { Bytes } from "./byte-reader.ts";
import { isImageName } from "./known-image.ts";
import { unpackingOf } from "./unpacking.ts";

/** Of a member's bytes, as far as they were computed. */
export type MemberDigests = Partial<Record<TaggedAlgorithm, string>>;

interface Member {
  readonly digests: MemberDigests;
  /** The member's bytes once more, where a manifest that came later asks for another algorithm. */
  readonly again: () => Bytes;
}

interface Manifest {
  readonly name: string;
  readonly lines: readonly TaggedLine[];
}

interface OneVerdict {
  /** Images, with the algorithms as they are written. */
  readonly proven: ReadonlyMap<string, ReadonlySet<string>>;
  readonly note: string | undefined;
  readonly warning: string | undefined;
}

/** What there is to tell of the manifests of an archive whose images they don't contradict; one sentence each. */
export interface ManifestVerdict {
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

/** The bytes of one member as they pass. */
export class MemberHash {
  readonly #hashes: readonly (readonly [TaggedAlgorithm, Hash])[];

  constructor(algorithms: readonly TaggedAlgorithm[]) {
    this.#hashes = algorithms.map((algorithm) => [algorithm, createHash(algorithm)]);
  }

  async *passing(bytes: Bytes): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      for (const [, hash] of this.#hashes) hash.update(chunk);
      yield chunk;
    }
  }

  digests(): MemberDigests {
    return Object.fromEntries(this.#hashes.map(([algorithm, hash]) => [algorithm, hash.copy().digest("hex")]));
  }
}

export class ArchiveManifests {
  /** The archive. */
  readonly #what: string;
  readonly #manifests: Manifest[] = [];
  readonly #members = new Set<string>();
  readonly #images = new Map<string, Member>();
  readonly #asked = new Map<string, Set<TaggedAlgorithm>>();

  constructor(what: string) {
    this.#what = what;
  }

  /** Every member, whatever it is. */
  addMember(name: string): void {
    this.#members.add(plainMember(name));
  }

  /** What the manifests that came so far ask for: each costs time, all three more than a fast network leaves. */
  algorithmsFor(name: string): readonly TaggedAlgorithm[] {
    return [...(this.#asked.get(plainMember(name)) ?? [])];
  }

  /** An image that was taken out. */
  addImage(name: string, digests: MemberDigests, again: Member["again"]): void {
    this.#images.set(plainMember(name), { digests: { ...digests }, again });
  }

  /** @throws ImageError `corrupt` for a line that is none of a digest */
  addManifest(name: string, text: string): void {
    const found = manifestText(text);
    if (found === undefined) return;
    const { lines, badLine } = found;
    if (badLine !== undefined)
      throw this.#error("corrupt", `line ${badLine} of its manifest ${name} is no digest of a file`);
    const manifest = { name: plainMember(name), lines };
    this.#manifests.push(manifest);
    for (const { name: member, algorithm } of lines) {
      if (algorithm === undefined) continue;
      for (const each of membersMeant(manifest.name, member)) {
        this.#asked.set(each, (this.#asked.get(each) ?? new Set()).add(algorithm));
      }
    }
  }

  /** @throws ImageError where an image is not what a manifest says, or one that is named is missing */
  async judge(): Promise<ManifestVerdict> {
    if (this.#manifests.length === 0) return { notes: [], warnings: [] };
    const verdicts: OneVerdict[] = [];
    for (const manifest of this.#manifests) verdicts.push(await this.#judgeOne(manifest));
    const proven = new Set(verdicts.flatMap(({ proven: names }) => [...names.keys()]));
    const unproven = [...this.#images.keys()].filter((name) => !proven.has(name));
    const manifests = listed(this.#manifests.map(({ name }) => name));
    return {
      notes: verdicts.flatMap(({ note }) => note ?? []),
      warnings: [
        ...verdicts.flatMap(({ warning }) => warning ?? []),
        ...(unproven.length > 0
          ? [`The manifest ${manifests} in ${this.#what} proves nothing of ${listed(unproven)}`]
          : []),
      ],
    };
  }

  async #judgeOne(manifest: Manifest): Promise<OneVerdict> {
    const proven = new Map<string, Set<string>>();
    const missing = new Set<string>();
    for (const { tag, algorithm, name, hex } of manifest.lines) {
      const member = this.#memberOf(manifest, name);
      if (member === undefined) {
        if (isImageName(unpackingOf(name).name)) {
          const why = `its manifest ${manifest.name} names ${name}, which isn't in it`;
          throw this.#error("corrupt", `${why}; look whether the file at the source is whole`);
        }
        missing.add(name);
      }
      const image = member === undefined ? undefined : this.#images.get(member);
      if (member === undefined || image === undefined || algorithm === undefined) continue;
      const digests = await withDigest(image, algorithm);
      if (digests[algorithm] !== hex) {
        const said = `and its manifest ${manifest.name} says ${hex}; nothing of it was kept`;
        throw this.#error("verification-failed", `${member} has ${algorithm} ${digests[algorithm]}, ${said}`);
      }
      proven.set(member, (proven.get(member) ?? new Set()).add(tag.toUpperCase()));
    }
    const where = `The manifest ${manifest.name} in ${this.#what}`;
    const plural = missing.size === 1 ? "isn't" : "aren't";
    return {
      proven,
      note: proven.size === 0 ? undefined : agreementText(manifest.name, this.#what, proven),
      warning: missing.size === 0 ? undefined : `${where} names ${listed([...missing])}, which ${plural} in it`,
    };
  }

  #memberOf(manifest: Manifest, name: string): string | undefined {
    return membersMeant(manifest.name, name).find((each) => this.#members.has(each));
  }

  #error(kind: "corrupt" | "verification-failed", why: string): ImageError {
    return new ImageError(kind, `Cannot trust ${this.#what}: ${why}`, { operation: "unpack" });
  }
}

async function withDigest({ digests, again }: Member, algorithm: TaggedAlgorithm): Promise<MemberDigests> {
  if (digests[algorithm] === undefined) {
    const hash = createHash(algorithm);
    for await (const chunk of again()) hash.update(chunk);
    digests[algorithm] = hash.digest("hex");
  }
  return digests;
}
