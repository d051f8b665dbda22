/** Which units stay and which are copied, rule by rule; and that no plan is believed without its proof. */

import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, eachExtent } from "../../../src/image/extent.ts";
import type { ConversionOptions } from "../../../src/image/source.ts";
import type { Draft, Placement, TargetDriver } from "../../../src/image/target.ts";
import { type PlacementInput, placeUnits } from "../../../src/plan/place-units.ts";
import { planSwitch } from "../../../src/plan/switch-plan.ts";

const { data, zero, unallocated, compressed } = ExtentState;
const K = 1024;
const UNIT = 4 * K;
const COPIES = 64 * K;

type Row = readonly [length: number, state: ExtentState, hostOffset?: number, storedLength?: number];

function table(rows: readonly Row[]): ExtentTable {
  const builder = new ExtentTableBuilder();
  for (const row of rows) builder.append(...row);
  return builder.finish(rows.reduce((sum, [length]) => sum + length, 0));
}

const PLACEMENT: Placement = {
  unitSize: UNIT,
  hostAlignment: UNIT,
  reserved: RangeSet.of({ start: 0, end: UNIT }),
  hasZeroState: true,
  compressed: undefined,
};

interface World extends Partial<Omit<PlacementInput, "placement">> {
  readonly placement?: Partial<Placement>;
}

function placed(rows: readonly Row[], { placement, ...world }: World = {}) {
  const mapping = table(rows);
  const virtualSize = rows.reduce((sum, [length]) => sum + length, 0);
  const result = placeUnits({
    mapping,
    virtualSize,
    sourceClusterSize: UNIT,
    hasBacking: false,
    copyStart: COPIES,
    ...world,
    placement: { ...PLACEMENT, ...placement },
  });
  const extents = [...eachExtent(result.extents)].map((extent): Row => {
    if (extent.state === data) return [extent.length, data, extent.hostOffset];
    if (extent.state === compressed) return [extent.length, compressed, extent.hostOffset, extent.storedLength];
    return [extent.length, extent.state];
  });
  const zeros = Array.from(result.zeros.each(), ({ start, end }) => [start, end] as const);
  return { extents, copies: result.copies, refusals: result.refusals.map(String), ...(zeros.length > 0 && { zeros }) };
}

const copyOf = (guestOffset: number, hostOffset: number, length = UNIT) => ({ guestOffset, hostOffset, length });

describe("units stored in part over a backing file", () => {
  const rows: Row[] = [
    [UNIT, unallocated],
    [K, data, 8 * K],
    [K, unallocated],
    [K, zero],
    [K, unallocated],
    [UNIT, data, 12 * K],
  ];

  test("are refused with both ways out, or, where all of the chain is read, copied whole and told", () => {
    const { refusals } = placed(rows, { hasBacking: true });
    expect(refusals).toEqual([
      "Guest bytes 0x1000 to 0x2000 are stored in part and in part left to the backing file, which a cluster of 4096 " +
        "bytes can't express; choose a smaller cluster_size, or let the rest be stored as well by --backing-chain",
    ]);
    expect(placed(rows, { hasBacking: true, fillsIn: true })).toEqual({
      extents: [
        [UNIT, unallocated],
        [UNIT, data, COPIES],
        [UNIT, data, 12 * K],
      ],
      copies: [copyOf(UNIT, COPIES)],
      refusals: [],
    });
    const input = { mapping: table(rows), virtualSize: 3 * UNIT, sourceClusterSize: UNIT, copyStart: COPIES };
    const all = placeUnits({ ...input, placement: PLACEMENT, hasBacking: true, fillsIn: true });
    expect(all.bytesFilled).toBe(2 * K);
    expect(placeUnits({ ...input, placement: PLACEMENT, hasBacking: false }).bytesFilled).toBe(0);
  });
});

describe("a target that wants more of a place", () => {
  test("at a fixed one: what lies there stays, and nothing is moved to it", () => {
    const placement = { linearBase: 0, reserved: new RangeSet() };
    const rows: Row[] = [[2 * UNIT, data, 0]];
    expect(placed(rows, { placement })).toEqual({ extents: rows, copies: [], refusals: [] });
    expect(placed([[2 * UNIT, data, UNIT]], { placement }).refusals).toEqual([
      "Guest bytes 0x0 to 0x2000 would have to lie at host offset 0x0, and nothing is moved to where the source's own bytes are",
    ]);
    const offset: Row[] = [
      [UNIT, data, UNIT],
      [UNIT, data, 2 * UNIT],
    ];
    expect(placed(offset, { placement: { ...placement, linearBase: UNIT } }).refusals).toEqual([]);
    expect(placed([[UNIT, zero]], { placement })).toEqual({ extents: [[UNIT, unallocated]], copies: [], refusals: [] });
    expect(placed([[UNIT, unallocated]], { placement }).refusals).toEqual([]);
    expect(placed([[UNIT, compressed, 8 * K, 700]], { placement }).refusals).toHaveLength(1);
    expect(
      placed(
        [
          [UNIT, data, 0],
          [UNIT / 2, data, UNIT],
          [UNIT / 2, zero],
        ],
        { placement },
      ).refusals,
    ).toHaveLength(1);
  });

  test("at a fixed one: what lies in the source's header area comes with the commit, wherever it is", () => {
    const placement = { linearBase: 0, reserved: new RangeSet() };
    const world = { placement, frontEnd: UNIT };
    const rows: Row[] = [
      [UNIT, data, 8 * UNIT],
      [UNIT, data, UNIT],
      [UNIT, unallocated],
    ];
    expect(placed(rows, world)).toEqual({
      extents: [
        [2 * UNIT, data, 0],
        [UNIT, unallocated],
      ],
      copies: [],
      refusals: [],
    });
    expect(
      placed(
        [
          [UNIT, zero],
          [UNIT, data, 2 * UNIT],
        ],
        world,
      ).refusals,
    ).toHaveLength(1);
    expect(placed([[2 * UNIT, data, 8 * UNIT]], world).refusals).toHaveLength(1);
  });

  test("with bytes of its own before each unit: all are copied, each behind its lead-in", () => {
    expect(
      placed(
        [
          [2 * UNIT, data, 8 * K],
          [UNIT, zero],
        ],
        { placement: { leadIn: 512, hostAlignment: 512 } },
      ),
    ).toEqual({
      extents: [
        [UNIT, data, COPIES + 512],
        [UNIT, data, COPIES + 512 + UNIT + 512],
        [UNIT, zero],
      ],
      copies: [copyOf(0, COPIES + 512), copyOf(UNIT, COPIES + 512 + UNIT + 512)],
      refusals: [],
    });
  });
});

describe("a unit whose lead-in, and what it lacks, is nobody's", () => {
  const LED = { leadIn: 512, hostAlignment: 512, reserved: RangeSet.of({ start: 0, end: K }) };
  const nobodys =
    (...used: readonly (readonly [number, number])[]) =>
    (start: number, end: number) =>
      !RangeSet.of(...used.map(([from, to]) => ({ start: from, end: to }))).intersects(start, end);
  const rows: Row[] = [
    [K, data, 8 * K],
    [K, unallocated],
    [2 * K, data, 10 * K],
    [K, zero],
    [3 * K, data, 21 * K],
  ];
  const world = (isNobodys?: PlacementInput["isNobodys"], placement: Partial<Placement> = LED): World => ({
    sourceClusterSize: K,
    placement,
    ...(isNobodys && { isNobodys }),
  });

  test("stays, and what it lacks is made zeros", () => {
    const both: Row[] = [
      [UNIT, data, 8 * K],
      [UNIT, data, 20 * K],
    ];
    expect(placed(rows, world(nobodys()))).toMatchObject({
      extents: both,
      copies: [],
      zeros: [
        [9 * K, 10 * K],
        [20 * K, 21 * K],
      ],
    });
    const { leadIn: _, ...aligned } = LED;
    expect(placed(rows, world(nobodys([7 * K, 8 * K]), aligned)).extents).toEqual(both);
  });

  test.each<[string, PlacementInput["isNobodys"]]>([
    ["its lead-in is somebody's", nobodys([7 * K + 1023, 8 * K])],
    ["what it lacks is somebody's", nobodys([9 * K, 9 * K + 1])],
    ["nobody says so", undefined],
  ])("is copied where %s", (_, isNobodys) => {
    expect(placed(rows.slice(0, 3), world(isNobodys)).copies).toEqual([copyOf(0, COPIES + 512)]);
  });

  test.each<[string, Row[], Partial<Placement>]>([
    [
      "its parts lie apart",
      [
        [K, data, 8 * K],
        [K, unallocated],
        [2 * K, data, 11 * K],
      ],
      LED,
    ],
    [
      "a part is compressed",
      [
        [K, data, 8 * K],
        [K, compressed, 30 * K, 100],
        [2 * K, data, 10 * K],
      ],
      LED,
    ],
    ["it lies askew", rows.slice(0, 3), { ...LED, hostAlignment: 4 * K }],
    ["it lies in what is reserved", rows.slice(0, 3), { ...LED, reserved: RangeSet.of({ start: 0, end: 8 * K }) }],
  ])("is copied where %s", (_, parts, placement) => {
    expect(placed(parts, world(nobodys(), placement)).copies).toHaveLength(1);
  });

  test("a disk's last one too, whole", () => {
    expect(
      placed(
        [
          [UNIT, data, 8 * K],
          [K, data, 12 * K + 512],
        ],
        world(nobodys()),
      ).zeros,
    ).toEqual([[13 * K + 512, 16 * K + 512]]);
  });
});

describe("a unit of data", () => {
  test("stays where it is whole and aligned", () => {
    const rows: Row[] = [[2 * UNIT, data, 8 * K]];
    expect(placed(rows)).toEqual({ extents: rows, copies: [], refusals: [] });
  });

  test("that lies askew is copied", () => {
    expect(placed([[UNIT, data, 9 * K]])).toMatchObject({
      extents: [[UNIT, data, COPIES]],
      copies: [copyOf(0, COPIES)],
    });
  });

  test("in a reserved range is copied, its neighbour stays", () => {
    expect(placed([[2 * UNIT, data, 0]])).toMatchObject({
      extents: [
        [UNIT, data, COPIES],
        [UNIT, data, UNIT],
      ],
      copies: [copyOf(0, COPIES)],
    });
  });

  test("of several pieces is copied, also where one of them is nothing", () => {
    const halves = placed([
      [2 * K, data, 8 * K],
      [2 * K, data, 20 * K],
      [2 * K, data, 32 * K],
      [2 * K, unallocated],
    ]);
    expect(halves.copies).toEqual([copyOf(0, COPIES, 2 * UNIT)]);
    expect(halves.extents).toEqual([[2 * UNIT, data, COPIES]]);
  });

  test("copies that are no neighbours in the guest are two", () => {
    const { copies } = placed([
      [UNIT, data, 9 * K],
      [UNIT, data, 16 * K],
      [UNIT, data, 25 * K],
    ]);
    expect(copies).toEqual([copyOf(0, COPIES), copyOf(2 * UNIT, COPIES + UNIT)]);
  });
});

describe("the last unit of a disk that ends inside it", () => {
  const rows: Row[] = [
    [UNIT, data, 8 * K],
    [K, data, 12 * K],
  ];

  test("stays where the source's own cluster is as large", () => {
    expect(placed(rows).copies).toEqual([]);
  });

  test("is copied where another cluster may follow within it", () => {
    const { extents, copies } = placed(rows, { sourceClusterSize: K });
    expect(copies).toEqual([copyOf(UNIT, COPIES)]);
    expect(extents).toEqual([
      [UNIT, data, 8 * K],
      [K, data, COPIES],
    ]);
  });
});

describe("what is not stored", () => {
  test("zeros are zeros where the target has them, else nothing", () => {
    expect(placed([[UNIT, zero]]).extents).toEqual([[UNIT, zero]]);
    expect(placed([[UNIT, zero]], { placement: { hasZeroState: false } }).extents).toEqual([[UNIT, unallocated]]);
  });

  test("zeros over a backing file are stored where the target has none", () => {
    const world = { hasBacking: true, placement: { hasZeroState: false } };
    expect(placed([[UNIT, zero]], world)).toMatchObject({
      extents: [[UNIT, data, COPIES]],
      copies: [copyOf(0, COPIES)],
    });
    const halves: Row[] = [
      [2 * K, zero],
      [2 * K, zero],
    ];
    expect(placed(halves, world).copies).toEqual([copyOf(0, COPIES)]);
  });

  test("a unit of zeros and nothing is not stored", () => {
    const rows: Row[] = [
      [2 * K, zero],
      [2 * K, unallocated],
    ];
    expect(placed(rows)).toMatchObject({ extents: [[UNIT, zero]], copies: [] });
    expect(placed(rows, { placement: { hasZeroState: false } })).toMatchObject({
      extents: [[UNIT, unallocated]],
      copies: [],
    });
  });

  test.each([data, zero])("a unit that shows the backing file in part is refused (%i)", (state) => {
    const rows: Row[] = [[2 * K, state, ...(state === data ? [8 * K] : [])] as unknown as Row, [2 * K, unallocated]];
    const { copies, refusals } = placed(rows, { hasBacking: true });
    expect(copies).toEqual([]);
    expect(refusals).toEqual([expect.stringContaining("in part left to the backing file")]);
  });
});

describe("compressed data", () => {
  const rows: Row[] = [[UNIT, compressed, 8 * K + 3, 700]];

  test("stays for a target that can point at it", () => {
    const placement = { compressed: { clusterSize: UNIT, method: "zlib" } } as const;
    expect(placed(rows, { placement })).toEqual({ extents: rows, copies: [], refusals: [] });
  });

  test("is copied where it is longer than the target can tell, or lies where nothing may", () => {
    const compressed = { clusterSize: UNIT, method: "zlib" } as const;
    const copies = [copyOf(0, COPIES)];
    expect(placed(rows, { placement: { compressed: { ...compressed, maxStored: 700 } } }).copies).toEqual([]);
    expect(placed(rows, { placement: { compressed: { ...compressed, maxStored: 699 } } }).copies).toEqual(copies);
    const reserved = RangeSet.of({ start: 8 * K + 600, end: 9 * K });
    expect(placed(rows, { placement: { compressed, reserved } }).copies).toEqual(copies);
  });

  test.each([undefined, { clusterSize: 2 * UNIT, method: "zlib" } as const])(
    "is copied for any other (%o)",
    (other) => {
      expect(placed(rows, { placement: { compressed: other } }).copies).toEqual([copyOf(0, COPIES)]);
    },
  );
});

test("a plan that gives two units one place is refused by its proof", () => {
  const mapping = table([
    [UNIT, data, 8 * K],
    [UNIT, data, 8 * K],
  ]);
  const options = {
    format: "qed",
    clusterSize: UNIT,
    virtualSize: 2 * UNIT,
    unclean: [],
  } as unknown as ConversionOptions;
  const draft = {
    format: "qcow2",
    virtualSize: 2 * UNIT,
    clusterSize: UNIT,
    placement: PLACEMENT,
    refusals: [],
  } as unknown as Draft;
  const source = { options, mapping, metadata: RangeSet.of({ start: 0, end: UNIT }), fileSize: 64 * K };
  const target = {
    map: () => expect.unreachable("the plan was believed"),
  } as unknown as TargetDriver;
  expect(() => planSwitch({ ...source, header: new Uint8Array(UNIT) }, target, draft)).toThrow(/two units share/);
});
