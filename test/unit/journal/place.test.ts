/** Which other places a journal may have, told by a look at the folder alone. */

import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/bytes/image-error.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { otherPlace } from "../../../src/journal/place.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { WrappedVolume } from "../../support/wrapped-volume.ts";

const IMAGE = "/vm/caf\u00e9.img";
const NAMES = journalNamesOf(IMAGE);
const THERE = "/vm/there";
const BYTES = new Uint8Array(1);

function placed(asked: string | undefined, files: Record<string, Uint8Array> = {}): Promise<string | undefined> {
  return otherPlace(new MemoryVolume({ [IMAGE]: BYTES, ...files }), IMAGE, asked);
}

describe("a place", () => {
  test("that nobody asked for, or that is the usual one, however it is spelled, is the usual one", async () => {
    for (const asked of [undefined, NAMES.journal, `/vm/../vm/./${NAMES.journal.slice(4)}`]) {
      expect(await placed(asked), asked).toBe(undefined);
    }
  });

  test("where nothing is", async () => {
    expect(await placed("/elsewhere/journal")).toBe("/elsewhere/journal");
    expect(await placed("/vm/journal")).toBe("/vm/journal");
  });
});

describe("no place", () => {
  test.each(["", "a\0b", "/elsewhere/", "/elsewhere/.", "/elsewhere/.."])("by its name: %j", async (asked) => {
    await expect(placed(asked)).rejects.toThrow(UsageError);
    await expect(placed(asked)).rejects.toThrow(asked === "" || asked.includes("\0") ? /no name/ : /a folder/);
  });

  test.each([
    IMAGE,
    NAMES.undo,
    NAMES.lock,
    NAMES.draft,
    NAMES.aside,
    IMAGE.toUpperCase().replace("/VM", "/vm"),
    IMAGE.normalize("NFD"),
    `${IMAGE.normalize("NFD")}.inplace-journal`,
  ])("the image's own: %s", async (asked) => {
    await expect(placed(asked)).rejects.toThrow(UsageError);
    await expect(placed(asked)).rejects.toThrow(/the image's own/);
  });

  test.each(["other.img.inplace-journal", "other.img.inplace-undo", "other.img.INPLACE-LOCK"])(
    "another image's: %s",
    async (name) => {
      await expect(placed(`/elsewhere/${name}`)).rejects.toThrow(UsageError);
    },
  );

  test("a folder", async () => {
    await expect(placed("/elsewhere", { "/elsewhere/file": BYTES })).rejects.toThrow(UsageError);
  });

  test("where something is, or what would become of its draft", async () => {
    await expect(placed(THERE, { [THERE]: BYTES })).rejects.toMatchObject({ kind: "in-use" });
    await expect(placed(THERE, { [`${THERE}.inplace-draft`]: BYTES })).rejects.toMatchObject({ kind: "in-use" });
  });

  test("too long a name, also where only a link's folder makes it so", async () => {
    await expect(placed(`/elsewhere/${"j".repeat(250)}`)).rejects.toMatchObject({ kind: "unsupported" });
    const deep = `/${"d".repeat(200)}`.repeat(25);
    const volume = new (class extends WrappedVolume {
      override async realFolderOf(path: string): Promise<string> {
        return path.startsWith("/link/") ? deep : super.realFolderOf(path);
      }
    })(new MemoryVolume({ [IMAGE]: BYTES }));
    await expect(otherPlace(volume, IMAGE, "/link/journal")).rejects.toMatchObject({ kind: "unsupported" });
  });
});
