/** The proof refuses every plan that would lose a byte; each clause is broken once. */

import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../../src/image/extent.ts";
import type { Placement } from "../../../src/image/target.ts";
import { type ProofInput, provePlan } from "../../../src/plan/proof.ts";

const { data, zero, unallocated, compressed } = ExtentState;
const K = 1024;
const UNIT = 4 * K;

type Row = readonly [length: number, state: ExtentState, hostOffset?: number, storedLength?: number];

function table(...rows: readonly Row[]): ExtentTable {
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

/** Unit 0 stays, unit 1 is copied since it lies askew, unit 2 is zeros, unit 3 nothing. */
const SOUND: ProofInput = {
  source: table([UNIT, data, 8 * K], [UNIT, data, 17 * K], [UNIT, zero], [UNIT, unallocated]),
  target: table([UNIT, data, 8 * K], [UNIT, data, 32 * K], [UNIT, zero], [UNIT, unallocated]),
  copies: [{ guestOffset: UNIT, hostOffset: 32 * K, length: UNIT }],
  placement: PLACEMENT,
  metadata: RangeSet.of({ start: 0, end: UNIT }, { start: 24 * K, end: 28 * K }),
  hasBacking: false,
  sourceClusterSize: UNIT,
  oldFileSize: 30 * K,
};

const rest: readonly Row[] = [
  [UNIT, zero],
  [UNIT, unallocated],
];
const moved: Row = [UNIT, data, 32 * K];

const BROKEN: readonly (readonly [name: string, change: Partial<ProofInput>, message: RegExp])[] = [
  ["a unit points at other bytes", { target: table([UNIT, data, 12 * K], moved, ...rest) }, /show other bytes/],
  ["data reads as zeros", { target: table([UNIT, zero], moved, ...rest) }, /show other bytes/],
  ["data is left out", { target: table([UNIT, unallocated], moved, ...rest) }, /show other bytes/],
  [
    "zeros read as data",
    { target: table([UNIT, data, 8 * K], moved, [UNIT, data, 12 * K], [UNIT, unallocated]) },
    /show other bytes/,
  ],
  [
    "over a backing file, nothing becomes zeros",
    {
      hasBacking: true,
      target: table([UNIT, data, 8 * K], moved, [UNIT, zero], [UNIT, zero]),
    },
    /show other bytes/,
  ],
  [
    "over a backing file, zeros become nothing",
    {
      hasBacking: true,
      target: table([UNIT, data, 8 * K], moved, [UNIT, unallocated], [UNIT, unallocated]),
    },
    /show other bytes/,
  ],
  [
    "a copy is not pointed at",
    {
      target: table([UNIT, data, 8 * K], [UNIT, data, 36 * K], ...rest),
    },
    /not pointed at/,
  ],
  [
    "a copy freezes what shows through",
    {
      hasBacking: true,
      target: table([UNIT, data, 8 * K], moved, [UNIT, zero], [UNIT, data, 36 * K]),
      copies: [...SOUND.copies, { guestOffset: 3 * UNIT, hostOffset: 36 * K, length: UNIT }],
    },
    /not pointed at/,
  ],
  ["a unit is not copied, but points where its copy would be", { copies: [] }, /show other bytes/],
  [
    "a copy lies below the old end",
    {
      copies: [{ guestOffset: UNIT, hostOffset: 28 * K, length: UNIT }],
      target: table([UNIT, data, 8 * K], [UNIT, data, 28 * K], ...rest),
    },
    /below the old end/,
  ],
  [
    "copies overlap in the file",
    {
      copies: [...SOUND.copies, { guestOffset: 2 * UNIT, hostOffset: 32 * K, length: UNIT }],
      target: table([UNIT, data, 8 * K], moved, [UNIT, data, 32 * K], [UNIT, unallocated]),
    },
    /overlap/,
  ],
  [
    "copies overlap in the guest",
    { copies: [...SOUND.copies, { guestOffset: UNIT, hostOffset: 36 * K, length: UNIT }] },
    /overlap/,
  ],
  [
    "a copy holds nothing",
    { copies: [...SOUND.copies, { guestOffset: 2 * UNIT, hostOffset: 36 * K, length: 0 }] },
    /overlap/,
  ],
  [
    "a piece of a compressed run is pointed at as a whole",
    {
      copies: [],
      source: table([2 * UNIT, compressed, 8 * K, 700], ...rest),
      target: table([UNIT, compressed, 8 * K, 700], [UNIT, compressed, 8 * K + UNIT, 700], ...rest),
    },
    /show other bytes/,
  ],
  [
    "a copy is not a whole unit",
    {
      copies: [{ guestOffset: UNIT, hostOffset: 32 * K, length: UNIT / 2 }],
    },
    /overlap/,
  ],
  ["the disk is shorter", { target: table([UNIT, data, 8 * K], moved, [UNIT, zero]) }, /differ in length/],
  [
    "the disk is longer",
    {
      target: table([UNIT, data, 8 * K], moved, [UNIT, zero], [2 * UNIT, unallocated]),
    },
    /differ in length/,
  ],
  [
    "a unit is not aligned in the file",
    {
      source: table([UNIT, data, 9 * K], [UNIT, data, 17 * K], ...rest),
      target: table([UNIT, data, 9 * K], moved, ...rest),
    },
    /misplaced/,
  ],
  [
    "a unit lies in the header",
    {
      source: table([UNIT, data, 0], [UNIT, data, 17 * K], ...rest),
      target: table([UNIT, data, 0], moved, ...rest),
      metadata: new RangeSet(),
    },
    /misplaced/,
  ],
  [
    "an extent begins inside a unit",
    {
      source: table([K, unallocated], [UNIT, data, 8 * K], [3 * UNIT - K, unallocated]),
      target: table([K, unallocated], [UNIT, data, 8 * K], [3 * UNIT - K, unallocated]),
      copies: [],
    },
    /misplaced/,
  ],
  [
    "a unit lies on metadata",
    {
      source: table([UNIT, data, 24 * K], [UNIT, data, 17 * K], ...rest),
      target: table([UNIT, data, 24 * K], moved, ...rest),
    },
    /on metadata/,
  ],
  [
    "two units share a place",
    {
      source: table([UNIT, data, 8 * K], [UNIT, data, 8 * K], ...rest),
      target: table([UNIT, data, 8 * K], [UNIT, data, 8 * K], ...rest),
      copies: [],
    },
    /share host offset/,
  ],
  [
    "two units of a target that aligns them to less than their size share a part of them",
    {
      placement: { ...PLACEMENT, hostAlignment: K },
      source: table([UNIT, data, 9 * K], [UNIT, data, 12 * K], ...rest),
      target: table([UNIT, data, 9 * K], [UNIT, data, 12 * K], ...rest),
      copies: [],
    },
    /share host offset 0x3000/,
  ],
  [
    "a unit lies past the end",
    {
      source: table([UNIT, data, 64 * K], [UNIT, data, 17 * K], ...rest),
      target: table([UNIT, data, 64 * K], moved, ...rest),
    },
    /past the end/,
  ],
  [
    "a unit that ends with the disk reaches past the end of file",
    {
      placement: { ...PLACEMENT, hostAlignment: K },
      sourceClusterSize: K,
      source: table([UNIT, zero], [K, data, 29 * K]),
      target: table([UNIT, zero], [K, data, 29 * K]),
      copies: [],
    },
    /past the end of file/,
  ],
  [
    "a copy lies in the rest of the source's last cluster",
    {
      oldFileSize: 28 * K,
      metadata: RangeSet.of({ start: 0, end: UNIT }),
      sourceClusterSize: 2 * UNIT,
      source: table([2 * UNIT, data, 25 * K]),
      target: table([2 * UNIT, data, 28 * K]),
      copies: [{ guestOffset: 0, hostOffset: 28 * K, length: 2 * UNIT }],
    },
    /below the old end/,
  ],
  [
    "a copy lies in the rest of a cluster that the disk ends inside",
    {
      oldFileSize: 27 * K,
      metadata: RangeSet.of({ start: 0, end: UNIT }),
      source: table([UNIT, data, 17 * K], [K, data, 25 * K]),
      target: table([UNIT, data, 28 * K], [K, data, 32 * K]),
      copies: [{ guestOffset: 0, hostOffset: 28 * K, length: 2 * UNIT }],
    },
    /below the old end/,
  ],
  [
    "a compressed cluster is another one",
    {
      source: table([UNIT, compressed, 8 * K + 5, 700], [UNIT, data, 17 * K], ...rest),
      target: table([UNIT, compressed, 8 * K + 6, 700], moved, ...rest),
    },
    /show other bytes/,
  ],
  [
    "a compressed cluster is cut short",
    {
      source: table([UNIT, compressed, 8 * K + 5, 700], [UNIT, data, 17 * K], ...rest),
      target: table([UNIT, compressed, 8 * K + 5, 699], moved, ...rest),
    },
    /show other bytes/,
  ],
  [
    "stored bytes are taken for a cluster",
    {
      source: table([UNIT, compressed, 8 * K, 700], [UNIT, data, 17 * K], ...rest),
      target: table([UNIT, data, 8 * K], moved, ...rest),
    },
    /show other bytes/,
  ],
  [
    "data is taken for stored bytes",
    {
      target: table([UNIT, compressed, 8 * K, 700], moved, ...rest),
    },
    /show other bytes/,
  ],
];

describe("the proof", () => {
  test("is not begun for a file of more units than can be told apart", () => {
    const change = { copies: [], target: SOUND.source, oldFileSize: 2 ** 33 * UNIT };
    expect(() => provePlan({ ...SOUND, ...change })).toThrow(/at most 4294967296 can be told apart/);
  });

  test("holds for a sound plan", () => {
    expect(() => provePlan(SOUND)).not.toThrow();
  });

  test("holds where nothing and zeros read alike", () => {
    const target = table([UNIT, data, 8 * K], moved, [UNIT, unallocated], [UNIT, zero]);
    expect(() => provePlan({ ...SOUND, target })).not.toThrow();
  });

  test("lets what shows through be stored with the rest of its unit, where that is said, and nowhere else", () => {
    const source = table([UNIT / 2, data, 8 * K], [UNIT / 2, unallocated], [UNIT + 512, unallocated]);
    const copies = [{ guestOffset: 0, hostOffset: 32 * K, length: UNIT }];
    const target = table([UNIT, data, 32 * K], [UNIT + 512, unallocated]);
    const filled: ProofInput = { ...SOUND, hasBacking: true, source, target, copies };
    expect(() => provePlan({ ...filled, fillsIn: true })).not.toThrow();
    expect(() => provePlan(filled)).toThrow(/a copy is not pointed at/);
    const whole = {
      target: table([2 * UNIT, data, 32 * K], [512, unallocated]),
      copies: [{ guestOffset: 0, hostOffset: 32 * K, length: 2 * UNIT }],
    };
    expect(() => provePlan({ ...filled, ...whole, fillsIn: true })).toThrow(/a copy is not pointed at/);
    // The disk's last unit is a whole one, however short.
    const last = {
      target: table([UNIT, data, 32 * K], [UNIT, unallocated], [512, data, 36 * K]),
      copies: [copies[0] as never, { guestOffset: 2 * UNIT, hostOffset: 36 * K, length: UNIT }],
    };
    expect(() => provePlan({ ...filled, ...last, fillsIn: true })).toThrow(/a copy is not pointed at/);
  });

  test.each(BROKEN)("fails: %s", (_, change, message) => {
    expect(() => provePlan({ ...SOUND, ...change })).toThrowError(
      expect.objectContaining({ kind: "verification-failed", message: expect.stringMatching(message) }),
    );
  });
});

describe("places that a target fixes", () => {
  const LINEAR: ProofInput = {
    ...SOUND,
    source: table([2 * UNIT, data, UNIT]),
    target: table([2 * UNIT, data, UNIT]),
    copies: [],
    metadata: new RangeSet(),
    placement: { ...PLACEMENT, linearBase: UNIT },
  };
  const EMPTIED: ProofInput = {
    ...LINEAR,
    source: table([UNIT, data, UNIT], [UNIT, zero]),
    target: table([UNIT, data, UNIT], [UNIT, unallocated]),
    zeros: RangeSet.of({ start: 2 * UNIT, end: 3 * UNIT }),
  };
  const copies = [
    { guestOffset: 0, hostOffset: 32 * K + 512, length: UNIT },
    { guestOffset: UNIT, hostOffset: 36 * K + 1024, length: UNIT },
  ];
  const LED: ProofInput = {
    ...LINEAR,
    target: table([UNIT, data, 32 * K + 512], [UNIT, data, 36 * K + 1024]),
    copies,
    placement: { ...PLACEMENT, hostAlignment: 512, leadIn: 512 },
  };
  /** The second unit's first half is stored nowhere. */
  const STAYING: ProofInput = {
    ...LED,
    source: table([UNIT, data, 8 * K], [UNIT / 2, unallocated], [UNIT / 2, data, 16 * K]),
    target: table([UNIT, data, 8 * K], [UNIT, data, 14 * K]),
    sourceClusterSize: UNIT / 2,
    copies: [],
    zeros: RangeSet.of({ start: 14 * K, end: 16 * K }),
  };
  const dense = (from: number, latest: number): Placement => ({
    ...PLACEMENT,
    reserved: new RangeSet(),
    dense: { from, latest },
  });
  const DENSE: ProofInput = { ...LINEAR, placement: dense(UNIT, 2 * UNIT) };
  const hole = RangeSet.of({ start: 2 * UNIT, end: 3 * UNIT });
  /** The hole is given to the third unit, which is stored nowhere. */
  const FILLED: ProofInput = {
    ...DENSE,
    source: table([UNIT, data, UNIT], [UNIT, data, 3 * UNIT], [UNIT, zero]),
    target: table([UNIT, data, UNIT], [UNIT, data, 3 * UNIT], [UNIT, data, 2 * UNIT]),
    zeros: hole,
  };
  /** The second unit is copied into the hole. */
  const REFILLED: ProofInput = {
    ...DENSE,
    source: table([UNIT, data, UNIT], [UNIT, data, 4 * UNIT]),
    target: table([UNIT, data, UNIT], [UNIT, data, 2 * UNIT]),
    copies: [{ guestOffset: UNIT, hostOffset: 2 * UNIT, length: UNIT }],
  };

  test("are proven where they hold", () => {
    for (const sound of [LINEAR, LED, STAYING, DENSE, EMPTIED, FILLED, REFILLED])
      expect(() => provePlan(sound)).not.toThrow();
  });

  test.each<readonly [string, ProofInput, RegExp]>([
    ["another base", { ...LINEAR, placement: { ...PLACEMENT, linearBase: 0 } }, /one place that it may have/],
    [
      "zeros that are not made",
      { ...EMPTIED, zeros: RangeSet.of({ start: 2 * UNIT, end: 2 * UNIT + 512 }) },
      /stale bytes would show/,
    ],
    [
      "zeros over data of the source",
      { ...EMPTIED, zeros: RangeSet.of({ start: UNIT, end: 3 * UNIT }) },
      /would be made zeros/,
    ],
    [
      "zeros over its tables",
      { ...EMPTIED, metadata: RangeSet.of({ start: 2 * UNIT, end: 3 * UNIT }) },
      /would be made zeros/,
    ],
    [
      "zeros over what comes with the commit",
      { ...EMPTIED, frontEnd: 2 * UNIT + 512 },
      /are not pointed at|would be made zeros/,
    ],
    [
      "first bytes that do not come",
      {
        ...LINEAR,
        source: table([2 * UNIT, unallocated]),
        target: table([2 * UNIT, unallocated]),
        placement: { ...PLACEMENT, linearBase: 0, reserved: new RangeSet() },
        frontEnd: UNIT,
        zeros: new RangeSet(),
      },
      /the commit's bytes are not pointed at/,
    ],
    [
      "a copy away from it",
      {
        ...LINEAR,
        target: table([2 * UNIT, data, 32 * K]),
        copies: [{ guestOffset: 0, hostOffset: 32 * K, length: 2 * UNIT }],
      },
      /copied from the one place/,
    ],
    [
      "two units without a lead-in between them",
      {
        ...LED,
        target: table([2 * UNIT, data, 32 * K]),
        copies: [{ guestOffset: 0, hostOffset: 32 * K, length: 2 * UNIT }],
      },
      /without their lead-in/,
    ],
    [
      "a lead-in on the unit before",
      {
        ...LED,
        target: table([UNIT, data, 32 * K], [UNIT, data, 36 * K]),
        copies: copies.map((copy, index) => ({ ...copy, hostOffset: 32 * K + index * UNIT })),
      },
      /copies overlap/,
    ],
    [
      "a lead-in on what another unit stores",
      {
        ...STAYING,
        source: table([UNIT, data, 12 * K], [UNIT, data, 8 * K]),
        target: table([UNIT, data, 12 * K], [UNIT, data, 8 * K]),
      },
      /a lead-in lies on what/,
    ],
    [
      "a lead-in on tables",
      { ...STAYING, metadata: RangeSet.of({ start: 8 * K - 512, end: 8 * K }) },
      /a lead-in lies on what/,
    ],
    ["what a unit lacks, unmade", { ...STAYING, zeros: new RangeSet() }, /show other bytes/],
    [
      "zeros beside a unit, on another's cluster",
      { ...STAYING, zeros: RangeSet.of({ start: 14 * K, end: 17 * K }) },
      /would be made zeros/,
    ],
    ["units that stay without one", { ...LED, target: LED.source, copies: [] }, /without their lead-in/],
    ["a first unit too far behind", { ...DENSE, placement: dense(0, UNIT - 1) }, /leave a hole/],
    ["a first unit too soon", { ...DENSE, placement: dense(UNIT + 1, 2 * UNIT) }, /leave a hole/],
    ["zeros that are not made in a hole", { ...FILLED, zeros: new RangeSet() }, /show other bytes/],
    ["zeros over what the source has there", { ...FILLED, metadata: hole }, /would be made zeros|lies on metadata/],
    ["a copy over the source's tables", { ...REFILLED, metadata: hole }, /on what the source points at/],
    [
      "a copy over the source's data",
      { ...REFILLED, source: table([UNIT, data, UNIT], [UNIT, data, 2 * UNIT], [UNIT, data, 3 * UNIT]) },
      /on what the source points at/,
    ],
    [
      "a hole in the middle",
      {
        ...DENSE,
        source: table([UNIT, data, UNIT], [UNIT, data, 3 * UNIT]),
        target: table([UNIT, data, UNIT], [UNIT, data, 3 * UNIT]),
      },
      /leave a hole/,
    ],
  ])("%s is no plan", (_, broken, message) => expect(() => provePlan(broken)).toThrow(message));
});
