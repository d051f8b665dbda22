import { expect, test } from "vitest";
import { conversionText, formatMilliseconds, ratioText } from "../../../src/cli/report-text.ts";
import { NOTHING_FOUND } from "../../../src/image/finding.ts";
import { report } from "./world.ts";

const clean = NOTHING_FOUND;

test("a conversion", () => {
  const text = conversionText({
    ...report,
    check: { before: { ...clean, leaks: 3 }, after: clean },
    bytesSettled: 1024,
  });
  expect(text.split("\n")).toEqual([
    "disk.qed: qed is now qcow2, in place",
    `  guest       10 GiB; blkhash-sha256 ${"ab".repeat(32)} before and after`,
    "  data moved  0 bytes",
    "  written     1.64 MiB (0.04 % of the file), 1 KiB of it to settle, 7 syncs",
    "  file        4 GiB before; 4 GiB after",
    "  check       3 leaks before, clean after",
    "  took        52 ms",
    "  to rename   mv -n disk.qed disk.qcow2",
    "  way back    none is kept; --keep-undo keeps one",
    "",
  ]);
});

test("what to do next: a new name, and how a way back is kept", () => {
  const ends = (changes: Partial<typeof report>, keepsUndo = false) => {
    const lines = conversionText({ ...report, ...changes }, "convert", keepsUndo).split("\n");
    return lines.slice(lines.findIndex((line) => line.startsWith("  took")) + 1, -1);
  };
  const none = "  way back    none is kept; --keep-undo keeps one";
  expect(ends({ image: "it's a disk.img" })).toEqual([
    "  to rename   mv -n 'it'\\''s a disk.img' 'it'\\''s a disk.qcow2'",
    none,
  ]);
  // What is told of a way back tells how to rename both.
  expect(ends({}, true)).toEqual([]);
  // Any of the format's own extensions is right, and a name without one, or that a descriptor gives, stays.
  expect(ends({ image: "disk.img", targetFormat: "raw" })).toEqual([none]);
  expect(ends({ image: "disk" })).toEqual([none]);
  expect(ends({ image: "disk.img", sourceFormat: "qcow2" })).toEqual([none]);
  expect(ends({ image: "disk-flat.vmdk", targetFormat: "raw", diskFile: "disk-flat.vmdk" })).toEqual([none]);
  expect(ends({ image: "disk.raw", targetFormat: "vmdk", imageAfter: "disk.vmdk" })).toEqual([none]);
});

test("what is not there is not printed; a layer is named as one", () => {
  const checksum = { algorithm: "sha256", covers: "layer", before: "aa", after: null } as const;
  const text = conversionText({ ...report, guestChecksum: checksum, dropped: ["bitmaps b0, b1"] });
  expect(text).not.toContain("check ");
  expect(text).toContain("10 GiB, without its backing file; sha256 aa before\n");
  expect(text).toContain("  left behind bitmaps b0, b1\n");
});

test("nothing to do", () => {
  expect(conversionText({ ...report, changed: false })).toBe("disk.qed is qcow2 already: nothing to do\n");
});

test("figures", () => {
  expect(formatMilliseconds(91.6)).toBe("92 ms");
  expect(formatMilliseconds(1234)).toBe("1.2 s");
  expect(ratioText(1, 3)).toBe("33 % of");
  expect(ratioText(0, 0)).toBe("0 % of");
  expect(ratioText(1, 1)).toBe("100 % of");
  expect(ratioText(23, 1)).toBe("23 times");
  expect(ratioText(3, 2)).toBe("1.5 times");
});

test("a small file, and counts of one", () => {
  const text = conversionText({
    ...report,
    fileSizeBefore: report.bytesWritten / 23,
    syncs: 1,
    check: { before: { ...clean, leaks: 1 }, after: { ...clean, corruptions: 1 } },
  });
  expect(text).toContain("written     1.64 MiB (23 times the file), 1 sync\n");
  expect(text).toContain("check       1 leak before, 1 corruption after\n");
});

test("a path's steps, a file with holes, a disk that has grown", () => {
  const text = conversionText({
    ...report,
    targetFormat: "vpc",
    path: [
      { step: "switch", to: "raw" },
      { step: "switch", to: "vpc" },
    ],
    actualSizeBefore: 1024 ** 3,
    actualSizeAfter: 4 * 1024 ** 3,
    guestChecksum: { algorithm: "sha256", covers: "guest", before: "aa", after: "bb" },
  });
  expect(text).toContain("  steps       1 switch to raw\n              2 switch to vpc\n");
  expect(text).toContain("  file        4 GiB, 1 GiB on the disk before; 4 GiB after\n");
  expect(text).toContain("sha256 aa before, bb after: the disk has grown\n");
});

test("compacted, and compact already", () => {
  const compacted = { ...report, sourceFormat: "qcow2", path: [{ step: "rearrange", goal: "compact" }] } as const;
  expect(conversionText(compacted)).toMatch(/^disk\.qed: qcow2 compacted, in place\n {2}guest/);
  expect(conversionText({ ...report, changed: false }, "compact")).toBe("disk.qed is compact already: nothing to do\n");
});
