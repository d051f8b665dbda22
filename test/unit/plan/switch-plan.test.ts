/** A plan of a switch is not believed where its commit lies amiss: what leads back over it must be saved. */

import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { ExtentState, ExtentTableBuilder } from "../../../src/image/extent.ts";
import type { Commit, Draft, MappedDraft, TargetDriver } from "../../../src/image/target.ts";
import { planSwitch } from "../../../src/plan/switch-plan.ts";
import { plainSource } from "../../formats/qcow2/target-image.ts";

const CLUSTER = 8192;
const HEADER = { start: 0, end: 512 };

function planWith(commit: Partial<Commit>) {
  const builder = new ExtentTableBuilder();
  builder.append(CLUSTER, ExtentState.data, 2 * CLUSTER);
  const source = {
    options: plainSource({ virtualSize: CLUSTER, clusterSize: CLUSTER, usedHeader: RangeSet.of(HEADER) }),
    mapping: builder.finish(CLUSTER),
    metadata: RangeSet.of({ start: CLUSTER, end: 2 * CLUSTER }),
    fileSize: 3 * CLUSTER,
    header: new Uint8Array(CLUSTER),
  };
  const draft: Draft = {
    format: "qed",
    virtualSize: CLUSTER,
    clusterSize: CLUSTER,
    placement: {
      unitSize: CLUSTER,
      hostAlignment: CLUSTER,
      reserved: RangeSet.of({ start: 0, end: CLUSTER }),
      hasZeroState: true,
      compressed: undefined,
    },
    options: {},
    refusals: [],
    dropped: [],
  };
  const target: TargetDriver = {
    options: [],
    countsReferences: true,
    openConversionTarget: () => draft,
    map: (_, extents): MappedDraft => ({
      ...draft,
      extents,
      fileSize: 3 * CLUSTER,
      metadataBytes: 0,
      settling: { bytesMoved: 0, bytesWritten: 0, fileSize: 3 * CLUSTER },
      additiveWrites: () => [],
    }),
    copyHeader: () => ({ kind: "sector", hostOffset: 0, sector: new Uint8Array(512), extras: [], ...commit }),
  };
  return planSwitch(source, target, draft);
}

const extras = (hostOffset: number, length = 8) => [{ hostOffset, bytes: new Uint8Array(length) }];

describe("a commit", () => {
  test.each([
    ["at the start", {}],
    ["in another sector of the header area", { hostOffset: 4608 }],
    ["in its last one", { hostOffset: CLUSTER - 512 }],
    ["with more beside it", { hostOffset: 4608, extras: extras(4600) }],
    ["with more behind it", { hostOffset: 4608, extras: extras(5120) }],
  ])("is planned for %s", (_, commit) => {
    expect(planWith(commit).commit).toMatchObject(commit);
  });

  test.each([
    ["between two sectors", { hostOffset: 4600 }, /not one sector/],
    ["where no old bytes are saved", { hostOffset: CLUSTER }, /not one sector/],
    ["of another length", { sector: new Uint8Array(4096) }, /not one sector/],
    ["with more on its first byte", { hostOffset: 4608, extras: extras(4601) }, /header write/],
    ["with more on its last byte", { hostOffset: 4608, extras: extras(5119) }, /header write/],
    ["with more around it", { hostOffset: 4608, extras: extras(4096, 2048) }, /header write/],
    ["with more on what the source uses", { hostOffset: 4608, extras: extras(500) }, /header write/],
    ["with more past what is saved", { extras: extras(CLUSTER - 4) }, /header write/],
  ])("is refused %s", (_, commit, message) => expect(() => planWith(commit)).toThrow(message));
});
