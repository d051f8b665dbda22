/** What a walk counts: who references each host cluster, and how often; and what it finds wrong on the way. */

import { hex } from "../../bytes/image-error.ts";
import { type Finding, FindingList, MAX_FINDINGS } from "../../image/finding.ts";
import type { Qcow2Geometry } from "./geometry.ts";
import { ReferenceCounts } from "./reference-counts.ts";

export class ReferenceTally {
  /** Every reference, what a refcount must say. */
  readonly all = new ReferenceCounts();
  /** References of the active L1 and its L2 tables whose COPIED flag is set: the refcount must be one. */
  readonly copied = new ReferenceCounts();
  /** The same where the flag is clear: the refcount must not be one. */
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
  readonly findings = new FindingList();
  allocatedClusters = 0;
  fragmentedClusters = 0;
  compressedClusters = 0;
  readonly #geometry: Qcow2Geometry;

  constructor(geometry: Qcow2Geometry) {
    this.#geometry = geometry;
  }

  /** `describe` is asked only while findings are kept: a hostile image has millions. */
  corruption(describe: () => Omit<Finding, "severity">, count = 1): void {
    this.#add("corruption", describe, count);
  }

  leak(describe: () => Omit<Finding, "severity">, count = 1): void {
    this.#add("leak", describe, count);
  }

  /** Something that could not be read or compared. */
  error(describe: () => Omit<Finding, "severity">, count = 1): void {
    this.#add("error", describe, count);
  }

  /**
   * Counts a reference to every cluster that [hostOffset, hostOffset + length) touches. What ends a cluster or more
   * past the end of file is a finding instead, and the answer false.
   */
  count(hostOffset: number, length: number, structure: string, times = 1, into?: ReferenceCounts): boolean {
    if (length <= 0) return true;
    const { clusterSize, hostEnd } = this.#geometry;
    const end = hostOffset + length;
    if (end - hostEnd >= clusterSize) {
      this.corruption(
        () => ({
          kind: "entry-out-of-bounds",
          structure,
          hostOffset,
          message: `${structure}: ${length} bytes at host offset ${hex(hostOffset)} lie outside the file`,
        }),
        times,
      );
      return false;
    }
    const first = Math.floor(hostOffset / clusterSize);
    const count = Math.floor((end - 1) / clusterSize) - first + 1;
    this.all.add(first, count, times);
    into?.add(first, count, times);
    return true;
  }

  /** A metadata structure of its own: its clusters may have no other reference. */
  countMetadata(hostOffset: number, length: number, structure: string): boolean {
    return this.count(hostOffset, length, structure, 1, this.metadata);
  }

  #add(severity: Finding["severity"], describe: () => Omit<Finding, "severity">, count: number): void {
    const isKept = this.findings.findings.length < MAX_FINDINGS;
    this.findings.add(isKept ? { severity, ...describe() } : { ...NOT_KEPT, severity }, count);
  }
}

const NOT_KEPT = { kind: "not-kept", structure: "", message: "" };
