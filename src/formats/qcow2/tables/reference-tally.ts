/** What a walk counts: who references each host cluster, and how often; and what it finds wrong on the way. */

import { counted } from "../../../bytes/count-text.ts";
import { hex } from "../../../bytes/image-error.ts";
import { type Finding, FindingList, type FindingListener, MAX_FINDINGS } from "../../../image/finding.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import { ReferenceCounts } from "./reference-counts.ts";
import { TableReach } from "./table-reach.ts";

type Description = Omit<Finding, "severity">;

/** Given to a tally that tells every finding in the order in which qemu-img meets them. */
export interface DetailedPass {
  readonly listener: FindingListener | undefined;
  /** The largest count that a refcount can say; each reference beyond it is told when it is met. */
  readonly maxRefcount: number;
  /** What another walk has counted, so that this one only tells; undefined where it counts anew. */
  readonly counted: ReferenceTally | undefined;
}

export class ReferenceTally {
  /** Every reference, what a refcount must say. */
  readonly all: ReferenceCounts;
  /** Every reference but those of `addCopied`, so that a healthy image's data clusters are counted in one place only. */
  readonly others = new ReferenceCounts();
  /** Of `others`, those whose COPIED flag is set. */
  readonly copied = new ReferenceCounts();
  /** References of the active L1 and its L2 tables whose COPIED flag is clear: the refcount must not be one. */
  readonly uncopied = new ReferenceCounts();
  /** References of compressed clusters, which may share a host cluster. */
  readonly compressed = new ReferenceCounts();
  /** Metadata that only one thing may reference: everything but L2 tables. */
  readonly metadata = new ReferenceCounts();
  /** How often the active L1 lists each L2 table. */
  readonly activeL2Tables = new ReferenceCounts();
  /** The same for the L1 tables of snapshots. */
  readonly inactiveL2Tables = new ReferenceCounts();
  /** Refcount blocks that something else references too: said once, when the refcount table is read. */
  readonly sharedBlocks = new ReferenceCounts();
  /** L2 tables in whose entries something is wrong; the entries of all others have nothing to tell. */
  readonly suspectTables = new ReferenceCounts();
  /** Where the clusters of active tables lie whose COPIED flag means something; of tables that are listed once. */
  readonly reach = new TableReach();
  /** Refcounts of clusters whose COPIED flag is wrong in some entry; only as many as are told one by one. */
  readonly misflagged = new Map<number, number | bigint>();
  /** The first entry of the refcount table that points between clusters, and where to, in hexadecimal digits. */
  unalignedBlock: { readonly index: number; readonly place: string } | undefined;
  hasSaidUnaligned = false;
  /** Some cluster is referenced more often than its refcount can say. */
  hasOverflow = false;
  /** L1 entries whose tables lie in the file, but between clusters. */
  askewTables = 0;
  readonly findings: FindingList;
  /** Undefined for a walk in the order that costs least. */
  readonly detailed: DetailedPass | undefined;
  allocatedClusters = 0;
  fragmentedClusters = 0;
  compressedClusters = 0;
  /** L2 tables as often as L1 tables list them. */
  listedTables = 0;
  /** Entries that an external data file's clusters have without COPIED flag, and entries outside the file. */
  doubtfulFlags = 0;
  readonly #geometry: Qcow2Geometry;
  /** Warnings are told last. */
  readonly #heldBack: Finding[] = [];
  #heldBackCount = 0;
  #tellsWarnings = false;

  constructor(geometry: Qcow2Geometry, detailed?: DetailedPass) {
    this.#geometry = geometry;
    this.detailed = detailed;
    this.all = detailed?.counted?.all ?? new ReferenceCounts();
    this.findings = new FindingList(detailed?.listener);
  }

  /** `describe` is asked only while findings are kept or told: a hostile image has millions. */
  corruption(describe: () => Description, count = 1): void {
    this.#add("corruption", describe, count);
  }

  leak(describe: () => Description, count = 1): void {
    this.#add("leak", describe, count);
  }

  /** Something that could not be read or compared. */
  error(describe: () => Description, count = 1): void {
    this.#add("error", describe, count);
  }

  /** What qemu-img lets pass; told after everything else. */
  warning(describe: () => Description, count = 1): void {
    if (this.detailed === undefined || this.#tellsWarnings) {
      this.#add("warning", describe, count);
      return;
    }
    this.#heldBackCount += count;
    if (this.#heldBack.length < MAX_HELD_BACK) this.#heldBack.push({ severity: "warning", ...describe() });
  }

  /** Tells those that were held back; later ones are told at once. */
  tellWarnings(): void {
    for (const finding of this.#heldBack) this.findings.add(finding, 0);
    this.findings.warnings += this.#heldBackCount;
    this.#heldBack.length = 0;
    this.#tellsWarnings = true;
  }

  /** Whether [hostOffset, hostOffset + length) ends less than a cluster past the end of file. */
  isInside(hostOffset: number, length: number): boolean {
    return hostOffset + length - this.#geometry.hostEnd < this.#geometry.clusterSize;
  }

  /**
   * Counts a reference to every cluster that [hostOffset, hostOffset + length) touches. What ends a cluster or more
   * past the end of file is a finding instead, and the answer false. `exactly` tells places beyond 2^53.
   */
  count(
    hostOffset: number,
    length: number,
    structure: string,
    times = 1,
    into?: ReferenceCounts,
    exactly?: () => string,
  ): boolean {
    if (length <= 0) return true;
    if (!this.isInside(hostOffset, length)) {
      this.corruption(() => {
        const place = exactly?.() ?? hex(hostOffset);
        return {
          kind: "entry-out-of-bounds",
          structure,
          hostOffset,
          message: `${structure}: ${length} bytes at host offset ${place} lie outside the file`,
          line: outsideLine(place, length),
        };
      }, times);
      return false;
    }
    const { clusterSize } = this.#geometry;
    const first = Math.floor(hostOffset / clusterSize);
    const count = Math.floor((hostOffset + length - 1) / clusterSize) - first + 1;
    this.addClusters(first, count, times);
    if (this.detailed === undefined) into?.add(first, count, times);
    return true;
  }

  /** Counts a reference to each of `clusterCount` clusters of the file. */
  addClusters(firstCluster: number, clusterCount: number, times: number): void {
    if (this.detailed?.counted !== undefined) return;
    this.all.add(firstCluster, clusterCount, times);
    const { detailed } = this;
    if (detailed === undefined) this.others.add(firstCluster, clusterCount, times);
    if (detailed === undefined || detailed.maxRefcount > MAX_COUNT_TOLD) return;
    for (let cluster = firstCluster; cluster < firstCluster + clusterCount; cluster++) {
      const references = this.all.get(cluster);
      if (references > detailed.maxRefcount) this.#tellOverflow(cluster, references);
    }
  }

  /** The same for entries of active L2 tables whose COPIED flag is set; not for a detailed walk. */
  addCopied(firstCluster: number, clusterCount: number, times: number): void {
    this.all.add(firstCluster, clusterCount, times);
  }

  /** References of the active L1 and its L2 tables whose COPIED flag is set: the refcount must be one. */
  copiedOf(cluster: number): number {
    return this.all.get(cluster) - this.others.get(cluster) + this.copied.get(cluster);
  }

  /** A metadata structure of its own: its clusters may have no other reference. */
  countMetadata(hostOffset: number, length: number, structure: string): boolean {
    return this.count(hostOffset, length, structure, 1, this.metadata);
  }

  #tellOverflow(cluster: number, references: number): void {
    this.corruption(() => overflowFinding(cluster, this.#geometry.clusterSize, references));
  }

  #add(severity: Finding["severity"], describe: () => Description, count: number): void {
    const isWanted = this.detailed?.listener !== undefined || this.findings.findings.length < MAX_FINDINGS;
    this.findings.add(isWanted ? { severity, ...describe() } : { ...NOT_KEPT, severity }, count);
  }
}

const NOT_KEPT = { kind: "not-kept", structure: "", message: "" };

/** Warnings that are met before what they are told after. */
const MAX_HELD_BACK = 2 ** 16;

/** Wider refcounts than 16 bits hold more references than a detailed walk meets of one cluster, by any measure. */
const MAX_COUNT_TOLD = 2 ** 16;

/** qemu-img's words for what lies a cluster or more past the end of file; `place` is hexadecimal. */
export function outsideLine(place: string, length: number): string {
  return (
    "ERROR: counting reference for region exceeding the end of the file by one cluster or more: " +
    `offset ${place} size ${hex(length)}`
  );
}

export function overflowFinding(cluster: number, clusterSize: number, references: number): Description {
  const hostOffset = cluster * clusterSize;
  return {
    kind: "refcount-overflow",
    structure: `cluster ${cluster}`,
    hostOffset,
    references,
    message: `Cluster ${cluster} at host offset ${hex(hostOffset)} has ${counted(references, "reference")}, more than its refcount can count`,
    line:
      `ERROR: overflow cluster offset=${hex(hostOffset)}\n` +
      "Use qemu-img amend to increase the refcount entry width or qemu-img convert to create a clean copy " +
      "if the image cannot be opened for writing",
  };
}
