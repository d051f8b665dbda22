/**
 * An opened OVA (DSP0243): its disk's image lies in a stretch of the file, so that all that it says of places is the file's by
 * adding where the stretch begins.
 */

import { isAligned, SECTOR_SIZE } from "../../bytes/align.ts";
import { isManifestName } from "../../bytes/digest-manifest.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import type { ImageFiles } from "../../image/driver.ts";
import type { ExtentTable } from "../../image/extent.ts";
import { type CheckResult, type Finding, type FindingListener, MAX_FINDINGS } from "../../image/finding.ts";
import { type ConversionOptions, checkOf, DISK_ALONE, type Image } from "../../image/source.ts";
import type { TargetOptionValues } from "../../image/target-options.ts";
import { NO_REARRANGEMENT, type Rearrangement } from "../../image/write.ts";
import { SliceStorage } from "../../storage/slice.ts";
import type { Storage } from "../../storage/storage.ts";
import { type Archive, type Member, readArchive } from "./archive.ts";
import { canBeTemplate } from "./descriptor.ts";
import type { OvaSpecificInfo } from "./details.ts";
import { type Found, findDisk } from "./disk.ts";
import { type Proof, proveManifests } from "./manifest.ts";
import { named, ofDisk, refusalsOf, TAKE_OUT } from "./refusal.ts";
import { shiftedMapping, shiftedRanges } from "./shifted.ts";

/** What an OVF's disks are, by the name of their driver; others could be named, and are nobody's. */
const DISK_FORMAT = "vmdk";

class OvaImage implements Image {
  readonly format = "ova";
  readonly storage: Storage;
  readonly checkReadsAll = true;
  readonly #archive: Archive;
  readonly #found: Found;
  /** Of the disk, in its own places. */
  readonly #inner: Image;
  #proven: readonly string[] = [];
  /** Asked for often, and a descriptor may be made to take its time. */
  #makings: TargetOptionValues | undefined;

  constructor(storage: Storage, archive: Archive, found: Found, inner: Image) {
    this.storage = storage;
    this.#archive = archive;
    this.#found = found;
    this.#inner = inner;
  }

  get virtualSize(): number {
    return this.#inner.virtualSize;
  }

  get clusterSize(): number {
    return this.#inner.clusterSize;
  }

  get fileSize(): number {
    return this.#archive.fileSize;
  }

  getConversionOptions(): ConversionOptions {
    const { virtualSize, clusterSize, clustersPerTable, sharingSize, compression, tailLength, unclean } =
      this.#inner.getConversionOptions();
    const { fileSize, end, members } = this.#archive;
    const { disk } = this.#found;
    this.#makings ??= this.#creationOptions();
    return {
      ...DISK_ALONE,
      format: this.format,
      virtualSize,
      clusterSize,
      clustersPerTable,
      sharingSize: isAligned(disk.start, clusterSize) ? sharingSize : SECTOR_SIZE,
      compression,
      ...(tailLength !== undefined && { tailLength }),
      usedHeader: RangeSet.of({ start: 0, end: fileSize }),
      creationOptions: this.#makings,
      // What lies behind an archive's last member is its next one, unless zeros say that it ends.
      ...(end === undefined && { grownEnd: fileSize + 2 * SECTOR_SIZE }),
      unclean:
        unclean.length === 0
          ? []
          : [`Its disk ${named(disk.name)} is marked as in use: ${TAKE_OUT}, and repair it there`],
      forgettable: members.filter((member) => member !== disk).map(({ name }) => `the archive's ${named(name)}`),
    };
  }

  /** What makes it again: its own descriptor as the template, where nothing else is in it, and nothing but its disk to fill in. */
  #creationOptions(): TargetOptionValues {
    const { disk, descriptor, descriptorBytes } = this.#found;
    const isOther = (member: Member) => member !== disk && member !== descriptor && !isManifestName(member.name);
    if (this.#archive.members.some(isOther) || !canBeTemplate(descriptorBytes)) return {};
    const { adapter_type } = this.#inner.getConversionOptions().creationOptions;
    const ovf_text = Buffer.from(descriptorBytes).toString("hex");
    return { ovf_text, ...(adapter_type !== undefined && { adapter_type }) };
  }

  async getMapping(): Promise<ExtentTable> {
    const { path } = this.storage;
    const { disk } = this.#found;
    const table = await this.#ofDisk(this.#inner.getMapping());
    const shifted = shiftedMapping(table, disk);
    if (shifted !== undefined) return shifted;
    const because = `its disk ${named(disk.name)} ends inside its last grain, so that the archive's next bytes would be the guest's`;
    throw refusalsOf(path, "mapping")("unsupported", because, disk.start + disk.size);
  }

  async check(onFinding?: FindingListener, onRead?: (bytes: number) => void): Promise<CheckResult> {
    const { members } = this.#archive;
    const { disk } = this.#found;
    const { findings, notes }: Proof = await proveManifests(this.storage, { members, disk, onFinding, onRead });
    this.#proven = notes;
    const inner = await checkOf(this.#inner, onFinding && ((finding) => onFinding(foundIn(disk, finding))));
    return {
      ...inner,
      corruptions: inner.corruptions + findings.corruptions,
      imageEndOffset: inner.imageEndOffset === 0 ? 0 : disk.start + inner.imageEndOffset,
      findings: [...findings.findings, ...inner.findings.map((finding) => foundIn(disk, finding))].slice(
        0,
        MAX_FINDINGS,
      ),
    };
  }

  get proven(): readonly string[] {
    return this.#proven;
  }

  /** What lies behind the zeros that end it is cut off. */
  async planSettling(): Promise<Rearrangement> {
    const { fileSize, end } = this.#archive;
    if (end === undefined || end >= fileSize) return { ...NO_REARRANGEMENT, fileSize };
    const cut = { purpose: "cut the file behind the archive", fileSize: end };
    return { epochs: [cut], fileSize: end, bytesMoved: 0, bytesWritten: 0 };
  }

  async getMetadataRanges(): Promise<RangeSet> {
    const { blocks, members } = this.#archive;
    const { disk, descriptor } = this.#found;
    const ranges = shiftedRanges(await this.#ofDisk(this.#inner.getMetadataRanges()), disk);
    ranges.addAll(blocks);
    const texts = members.filter((member) => member === descriptor || isManifestName(member.name));
    for (const { start, size } of texts) ranges.add(start, start + size);
    return ranges;
  }

  getSpecificInfo(): OvaSpecificInfo {
    const { formatSpecific } = this.#inner.getSpecificInfo();
    const told = ({ name, start, size }: Member) => ({ name, hostOffset: start, length: size });
    return {
      format: this.format,
      clusterSize: this.clusterSize,
      formatSpecific: {
        type: this.format,
        data: {
          disk: { ...told(this.#found.disk), format: DISK_FORMAT, formatSpecific: formatSpecific?.data ?? {} },
          members: this.#archive.members.map(told),
        },
      },
    };
  }

  async #ofDisk<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      throw ofDisk(error, this.storage.path, this.#found.disk);
    }
  }
}

/** Where it lies in the archive; its words are of places in the disk. */
function foundIn({ name, start }: Member, { line: _, ...finding }: Finding): Finding {
  return {
    ...finding,
    ...(finding.hostOffset !== undefined && { hostOffset: start + finding.hostOffset }),
    message: `In its disk ${named(name)}, from host offset 0x${start.toString(16)} on: ${finding.message}`,
  };
}

/** Reads the archive's headers, its descriptor, and the header of its disk. */
export async function openOva({ main, inside }: ImageFiles): Promise<Image> {
  const archive = await readArchive(main);
  const found = await findDisk(main, archive, inside);
  const { disk } = found;
  const inner = await inside.open(new SliceStorage(main, disk.start, disk.size)).catch((error) => {
    throw ofDisk(error, main.path, disk);
  });
  if (inner.format === DISK_FORMAT) return new OvaImage(main, archive, found, inner);
  const because = `its disk ${named(disk.name)} is a ${inner.format} image, not a VMDK`;
  throw refusalsOf(main.path, "disk")("unsupported", because, disk.start);
}
