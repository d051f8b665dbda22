/** What of the inputs reaches the library, and what becomes of what it answers. */

import { beforeEach, expect, test, vi } from "vitest";
import { convertImage } from "../../../../src/action/images/convert-image.ts";
import { OpenJournals } from "../../../../src/action/images/open-journals.ts";
import type { ImageToDo } from "../../../../src/action/images/work.ts";
import { readInputs } from "../../../../src/action/inputs/inputs.ts";
import * as library from "../../../../src/index.ts";
import { conversion } from "../../../support/step-results.ts";

vi.mock("../../../../src/index.ts", { spy: true });

const image: ImageToDo = {
  path: "disk.qed",
  newPath: "disk.qcow2",
  guestChecksum: { algorithm: "sha256", hex: "0".repeat(64) },
  refusal: undefined,
};
const leaksGivenUp = { clusters: 300, bytes: 300 * 65536, isSuspicious: true };

function workWith(more: Readonly<Record<string, string>>) {
  const given: Readonly<Record<string, string>> = { image: "disk.qed", "target-format": "qcow2", ...more };
  const { inputs } = readInputs((name) => given[name] ?? "");
  return { inputs, journals: new OpenJournals(), signal: new AbortController().signal, log: () => {} };
}

beforeEach(() => {
  vi.mocked(library.unfinished).mockResolvedValue("none");
  vi.mocked(library.renameImage).mockResolvedValue(undefined);
  vi.mocked(library.convert).mockReset().mockResolvedValue(conversion());
  vi.mocked(library.plan).mockReset();
});

test.each([{ mode: "plan" }, { "dry-run": "true" }])(
  "%j asks for all that the run would be asked for",
  async (more) => {
    const work = workWith({
      ...more,
      "max-extra-space": "1G",
      "cross-check": "auto",
      "keep-undo": "true",
      drop: "bitmaps",
    });
    await convertImage(image, work);
    expect(library.convert).toHaveBeenCalledWith(
      "disk.qed",
      "qcow2",
      expect.objectContaining({
        dryRun: true,
        guestChecksum: image.guestChecksum,
        maxExtraSpace: 2 ** 30,
        crossCheck: "auto",
        keepUndo: true,
        drop: ["bitmaps"],
        check: true,
      }),
    );
    expect(library.renameImage).not.toHaveBeenCalled();
  },
);

test("what a name or the folder refuses is refused without a look at the image, in a dry run too", async () => {
  const refusal = new library.ImageError("in-use", "Cannot rename disk.qed to disk.qcow2: disk.qcow2 exists");
  const { failure } = await convertImage({ ...image, refusal }, workWith({ "dry-run": "true" }));
  expect(failure?.kind).toBe("in-use");
  expect(library.convert).not.toHaveBeenCalled();
});

test("a dry run of an image whose journal would be taken back first plans nothing of what is to come", async () => {
  vi.mocked(library.unfinished).mockResolvedValue("open");
  const work = workWith({ "dry-run": "true", "on-interrupted": "rollback" });
  const { failure, recovery, notes } = await convertImage(image, work);
  expect([failure, recovery]).toEqual([undefined, expect.stringContaining("Would first rollback")]);
  expect(notes).toEqual([expect.stringContaining("only then")]);
  expect(library.convert).not.toHaveBeenCalled();
});

test("without a check a strict step asks the plan for the leaks, and nothing is converted", async () => {
  const planned = { ...conversion({ changed: false }), leaksGivenUp };
  vi.mocked(library.plan).mockResolvedValue({ report: planned, text: "", refusals: [] });
  vi.mocked(library.check).mockRejectedValue(new Error("not now"));
  const strict = { "fail-on": "warning", check: "false" };
  const { failure } = await convertImage(image, workWith(strict));
  expect(failure?.message).toContain("gives up 300 leaked clusters");
  expect(failure?.advice).toBe("The image is as it was");
  expect(library.convert).not.toHaveBeenCalled();
});

test("leaks that a conversion gave up fail a strict step, also where nobody foresaw them", async () => {
  vi.mocked(library.convert).mockResolvedValue({ ...conversion(), leaksGivenUp } as library.ConversionReport);
  const { failure, path } = await convertImage(
    image,
    workWith({ "dry-run": "true", "fail-on": "warning", check: "false" }),
  );
  expect([failure?.kind, path]).toEqual(["leaks", "disk.qed"]);
  expect((await convertImage(image, workWith({ "fail-on": "corruption" }))).failure).toBeUndefined();
});

test("an undo that was kept is told of, under the image's new name; one that is not there is not", async () => {
  vi.mocked(library.unfinished).mockImplementation(async (path) => (path === "disk.qcow2" ? "undo" : "none"));
  const kept = await convertImage(image, workWith({ "keep-undo": "true" }));
  expect(kept.notes).toEqual([expect.stringContaining("inplace-convert rollback disk.qcow2 goes it")]);
  vi.mocked(library.unfinished).mockResolvedValue("none");
  expect((await convertImage(image, workWith({ "keep-undo": "true" }))).notes).toBeUndefined();
});
