/** How far a repair came, told from the sectors themselves, and what has to be written to go on or back from there. */

import { SECTOR_SIZE } from "../bytes/align.ts";
import { isWrittenInPart } from "../bytes/torn-write.ts";
import type { Write } from "../image/write.ts";
import type { PatchStep } from "../journal/repair-work.ts";

/** The bytes of one sector; undefined where the medium lost it. */
export type ReadSector = (hostOffset: number, length: number) => Promise<Uint8Array | undefined>;

interface Version {
  /** The step that writes it, from 1; 0 for the old bytes. */
  readonly step: number;
  readonly bytes: Uint8Array;
}

export interface RepairPlace {
  /** From 1; 0 where none has begun. */
  readonly step: number;
  /** Every sector is as the last step leaves it. */
  readonly isDone: boolean;
  /** All patched sectors as they were found, whole: a torn or lost one as it was before the step. */
  readonly seen: readonly Write[];
}

/**
 * Each patched sector's versions. At place k the steps before k are done, those after it are not, and k itself may be
 * half done: each of its sectors is old or new, or one torn between the two.
 */
export class PatchedSectors {
  readonly #steps: readonly PatchStep[];
  readonly #sectors = new Map<number, Version[]>();

  constructor(steps: readonly PatchStep[]) {
    this.#steps = steps;
    for (const [at, { patches }] of steps.entries()) {
      for (const { hostOffset, before, after } of patches) {
        for (let skip = 0; skip < before.length; skip += SECTOR_SIZE) {
          const of = (bytes: Uint8Array) => bytes.subarray(skip, skip + SECTOR_SIZE);
          const known = this.#sectors.get(hostOffset + skip);
          const version = { step: at + 1, bytes: of(after) };
          if (known === undefined) this.#sectors.set(hostOffset + skip, [{ step: 0, bytes: of(before) }, version]);
          else known.push(version);
        }
      }
    }
  }

  /** The place that the file is at, the first one that fits; undefined where somebody else wrote to a sector. */
  async find(read: ReadSector): Promise<RepairPlace | undefined> {
    const found = new Map<number, Uint8Array | undefined>();
    let fitting = Array.from({ length: this.#steps.length + 1 }, (_, place) => place);
    for (const [hostOffset, versions] of this.#sectors) {
      const bytes = await read(hostOffset, (versions[0] as Version).bytes.length);
      fitting = fitting.filter((place) => fits(versions, place, bytes));
      if (fitting.length === 0) return undefined;
      found.set(hostOffset, bytes);
    }
    const step = fitting[0] as number;
    const isDone = [...this.#sectors].every(
      ([at, versions]) => Buffer.compare(found.get(at) ?? new Uint8Array(0), (versions.at(-1) as Version).bytes) === 0,
    );
    const whole = (hostOffset: number, versions: readonly Version[]): Uint8Array => {
      const bytes = found.get(hostOffset);
      const known = versions.find((version) => bytes !== undefined && Buffer.compare(version.bytes, bytes) === 0);
      return (known ?? versionAt(versions, Math.max(0, step - 1))).bytes;
    };
    return {
      step,
      isDone,
      seen: joined(new Map([...this.#sectors].map(([at, versions]) => [at, whole(at, versions)]))),
    };
  }

  /** Every patched sector as the steps up to `step` leave it; 0 is as it was. */
  after(step: number): Write[] {
    return joined(new Map([...this.#sectors].map(([at, versions]) => [at, versionAt(versions, step).bytes])));
  }
}

/** Sectors in ascending order, neighbours in one piece. */
function joined(sectors: ReadonlyMap<number, Uint8Array>): Write[] {
  const runs: { readonly start: number; end: number; readonly parts: Uint8Array[] }[] = [];
  for (const start of [...sectors.keys()].sort((a, b) => a - b)) {
    const bytes = sectors.get(start) as Uint8Array;
    const last = runs.at(-1);
    if (last?.end === start) last.parts.push(bytes);
    else runs.push({ start, end: start, parts: [bytes] });
    (runs.at(-1) as { end: number }).end = start + bytes.length;
  }
  return runs.map(({ start, parts }) => ({ hostOffset: start, bytes: Buffer.concat(parts) }));
}

function versionAt(versions: readonly Version[], place: number): Version {
  return versions.findLast(({ step }) => step <= place) as Version;
}

function fits(versions: readonly Version[], place: number, found: Uint8Array | undefined): boolean {
  if (found === undefined) return true;
  const { step, bytes } = versionAt(versions, place);
  if (Buffer.compare(found, bytes) === 0) return true;
  if (step !== place || place === 0) return false;
  const old = versionAt(versions, place - 1).bytes;
  return isWrittenInPart(found, bytes, old) || isWrittenInPart(found, old, bytes);
}
