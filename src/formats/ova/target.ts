/**
 * OVA as a target (DSP0243): a tar of descriptor, disk and manifest around a stream that is packed inside the image before.
 *
 *   | block | box.ovf | block | disk: front | grains, tables, footer | block | box.mf | zeros |
 *    ^ the commit: one sector                                                          ^ the file is cut here once it is settled
 *
 * All but the commit lies there when the grains do: what comes before them in bytes that the image does not use.
 */

import { alignUp, KiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { UsageError } from "../../bytes/image-error.ts";
import { whyNoPlainName } from "../../bytes/plain-name.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { TAR_BLOCK, tarHeader } from "../../bytes/tar-header.ts";
import type { PackedFile, PackForm } from "../../image/pack-form.ts";
import type { StreamMaker } from "../../image/stream-maker.ts";
import type { MappedDraft, TargetDriver } from "../../image/target.ts";
import type { TargetOption, TargetOptionValues } from "../../image/target-options.ts";
import type { Write } from "../../image/write.ts";
import { crypto } from "../../storage/built-ins.ts";
import type { Storage } from "../../storage/storage.ts";
import { descriptorText, MAX_DESCRIPTOR, machineOptions, type OvfFacts, ROOM_TO_FILL } from "./descriptor.ts";

/** The two lines of a manifest, whose names are short. */
const MANIFEST_LENGTH = TAR_BLOCK;
const END_LENGTH = 2 * TAR_BLOCK;
const READ_BYTES = 2 ** 20;
/** The descriptor's own, and its disk's. */
const AROUND_DESCRIPTOR = 2 * TAR_BLOCK;
/** What a medium may write as a whole, and lose when it is cut while writing it. */
const MEDIUM_BLOCK = 4 * KiB;
/** Of a member's name, with what follows the machine's. */
const MAX_STEM = 60;

const OPTIONS: readonly TargetOption[] = [
  {
    name: "ovf",
    kind: "path",
    readInto: "ovf_text",
    help: "Template of the descriptor: an OVF with one File and one Disk",
  },
  { name: "ovf_text", kind: "bytes", isInternal: true, help: "What the template holds" },
  { name: "cpus", kind: "number", help: "CPUs of the machine; by default 1" },
  { name: "memory", kind: "size", help: "Memory of the machine; by default 1G" },
  { name: "network", kind: "text", help: "Name of its network; by default VM Network" },
  { name: "name", kind: "text", help: "Name of the machine; by default the file's" },
];

export function ovaTarget(stream: StreamMaker): TargetDriver {
  return {
    options: [...OPTIONS, ...stream.options],
    countsReferences: true,
    onlyReads: ({ ovf_text }) => ovf_text === undefined,
    packForm: (options, file = { fileName: "" }) => formOf(stream, options, file),

    openConversionTarget(source, options, drop) {
      const { cpus, memory, template, name, network } = machineOptions(options);
      if (cpus < 1 || cpus > 1024) throw new UsageError(`Cannot make a machine of ${cpus} CPUs: 1 to 1024`);
      if (memory < 4) throw new UsageError(`Cannot make a machine of ${memory} MiB of memory: 4M or more`);
      if (template !== undefined && (options.cpus ?? options.memory ?? options.network ?? options.name) !== undefined)
        throw new UsageError("Cannot set cpus, memory, network or name beside a template: write them into it");
      if (Buffer.byteLength(`${name}${network}`) > ROOM_TO_FILL / 8)
        throw new UsageError("Cannot use so long a name for the machine or its network");
      // Also proves the template.
      const base = diskBase(options);
      if (base > MAX_DESCRIPTOR)
        throw new UsageError(`Cannot use an OVF template of more than ${MAX_DESCRIPTOR - ROOM_TO_FILL} bytes`);
      const draft = stream.draft(source, options, drop, base);
      return { ...draft, format: "ova" };
    },

    /** Throws ImageError where the grains are not packed. */
    map(draft, extents, { oldFileSize }): MappedDraft {
      const { unitsEnd, end } = stream.endOf(extents, draft.virtualSize, diskBase(draft.options));
      const fileSize = end + TAR_BLOCK + MANIFEST_LENGTH + END_LENGTH;
      return {
        ...draft,
        extents,
        takenOver: RangeSet.of({ start: unitsEnd, end: fileSize }),
        fileSize: oldFileSize,
        metadataBytes: 0,
        settling: { bytesMoved: 0, bytesWritten: 0, fileSize },
        *additiveWrites() {},
      };
    },

    copyHeader: ({ options }, _source, _oldHeader, _usedHeader, guest) => ({
      kind: "sector",
      hostOffset: 0,
      sector: descriptorBlock(options, { fileName: guest?.fileName ?? "", identity: guest?.identity }),
      extras: [],
    }),
  };
}

/** Bytes that the descriptor takes, with spaces behind it: known before what it says is. */
function descriptorSpace(options: TargetOptionValues): number {
  return diskBase(options) - AROUND_DESCRIPTOR;
}

/**
 * Where the disk begins, behind descriptor and two blocks. So its first grain begins a block of the medium as well: what comes
 * before is written when the image points at that grain.
 */
function diskBase(options: TargetOptionValues): number {
  const machine = machineOptions(options);
  const facts = { machine: "", diskFile: "disk", diskFileSize: 0, virtualSize: 0, populatedSize: 0 };
  return alignUp(Buffer.byteLength(descriptorText(machine, facts)) + ROOM_TO_FILL + AROUND_DESCRIPTOR, MEDIUM_BLOCK);
}

/** What the members are called: the file's name without its last extension, where a tar can hold that. */
function namesFor({ fileName }: PackedFile) {
  const stem = fileName.replace(/\.[^.]*$/, "");
  const isUsable = stem !== "" && Buffer.byteLength(stem) <= MAX_STEM && whyNoPlainName(stem) === undefined;
  const machine = isUsable && !stem.startsWith(".") ? stem : "disk";
  return { machine, ovf: `${machine}.ovf`, disk: `${machine}-disk1.vmdk`, manifest: `${machine}.mf` };
}

/** In seconds; of a file that shall be the same for the same guest there is none. */
function timeOf({ identity }: PackedFile): number {
  return identity === undefined ? Math.floor(Date.now() / 1000) : 0;
}

function descriptorBlock(options: TargetOptionValues, file: PackedFile): Uint8Array {
  return tarHeader(namesFor(file).ovf, descriptorSpace(options), timeOf(file));
}

function formOf(stream: StreamMaker, options: TargetOptionValues, file: PackedFile): PackForm {
  const base = diskBase(options);
  const form = stream.form(base);
  return {
    ...form,
    lengthFor: (unitCount, virtualSize) =>
      form.lengthFor(unitCount, virtualSize) + TAR_BLOCK + MANIFEST_LENGTH + END_LENGTH,
    async *tail(units, storage) {
      let end = units.end;
      for await (const writes of form.tail(units, storage)) {
        for (const { hostOffset, bytes } of writes) end = Math.max(end, hostOffset + bytes.length);
        yield writes;
      }
      const names = namesFor(file);
      const facts: OvfFacts = {
        machine: names.machine,
        diskFile: names.disk,
        diskFileSize: end - base,
        virtualSize: units.virtualSize,
        populatedSize: units.count * form.unitSize,
      };
      const descriptor = paddedText(descriptorText(machineOptions(options), facts), descriptorSpace(options));
      const front = stream.front(units.virtualSize, options, { ...file, fileName: names.disk });
      const before = Buffer.concat([descriptor, tarHeader(names.disk, end - base, timeOf(file)), front]);
      yield* inParts(before, form.unitSize);
      const manifest = [
        `SHA256(${names.ovf})= ${sha256(descriptor)}\n`,
        `SHA256(${names.disk})= ${await sha256From(storage, front, form.start, end)}\n`,
      ].join("");
      const last = Buffer.alloc(TAR_BLOCK + MANIFEST_LENGTH + END_LENGTH);
      last.set(tarHeader(names.manifest, manifest.length, timeOf(file)));
      last.write(manifest, TAR_BLOCK, "latin1");
      yield [{ hostOffset: end, bytes: new Uint8Array(last) }];
    },
  };
}

/** From the second sector on: the first is the commit's. What lies in the carrier's first cluster, and what lies behind. */
function* inParts(before: Uint8Array, clusterSize: number): Generator<readonly Write[]> {
  const inside = clusterSize - SECTOR_SIZE;
  const bytes = (start: number, end?: number) => new Uint8Array(before.subarray(start, end));
  yield [
    { hostOffset: SECTOR_SIZE, bytes: bytes(0, inside) },
    { hostOffset: clusterSize, bytes: bytes(inside) },
  ];
}

/** XML may end with blanks. */
function paddedText(text: string, length: number): Uint8Array {
  const bytes = Buffer.alloc(length, " ");
  const written = bytes.write(text);
  if (written < Buffer.byteLength(text) || written === length)
    throw new RangeError(`a descriptor of ${Buffer.byteLength(text)} bytes does not fit into ${length}`);
  bytes[length - 1] = "\n".charCodeAt(0);
  return new Uint8Array(bytes);
}

function sha256(bytes: Uint8Array): string {
  return crypto().createHash("sha256").update(bytes).digest("hex");
}

/** Of `front` and of what lies in the file from `start` to `end`. */
async function sha256From(storage: Storage, front: Uint8Array, start: number, end: number): Promise<string> {
  const hash = crypto().createHash("sha256").update(front);
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (let at = start; at < end; ) {
    const part = buffer.subarray(0, Math.min(READ_BYTES, end - at));
    const count = await storage.read(at, part);
    if (count === 0) throw new RangeError(`the file ends at ${at}, before its disk does`);
    hash.update(part.subarray(0, count));
    at += count;
  }
  return hash.digest("hex");
}
