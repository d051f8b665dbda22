import { expect, test } from "vitest";
import { FilesInUse } from "../../../../src/action/images/files-in-use.ts";

const soon = () => new Promise((resolve) => setImmediate(resolve));

/** Who holds what at each moment, and how to end each. */
function holders(inUse: FilesInUse) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const hold = (name: string, ...keys: string[]) =>
    inUse.during(keys, () => {
      begun.push(name);
      return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
    });
  const end = async (name: string) => {
    ends.get(name)?.();
    await soon();
  };
  return { begun, hold, end };
}

test("who shares nothing waits for nobody; who shares a file waits, in the order in which they came", async () => {
  const { begun, hold, end } = holders(new FilesInUse());
  const all = [hold("a", "1", "2"), hold("b", "2", "3"), hold("c", "3"), hold("d", "4"), hold("e", "1")];
  await soon();
  // c has to wait for b, which came before it and needs what c needs.
  expect(begun).toEqual(["a", "d"]);
  await end("a");
  expect(begun).toEqual(["a", "d", "b", "e"]);
  await end("e");
  expect(begun).toHaveLength(4);
  await end("b");
  expect(begun).toEqual(["a", "d", "b", "e", "c"]);
  await end("c");
  await end("d");
  expect(await Promise.all(all)).toEqual(["a", "b", "c", "d", "e"]);
});

test("what fails gives its files free too", async () => {
  const inUse = new FilesInUse();
  const failing = inUse.during(["1"], async () => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await inUse.during(["1"], async () => "yes")).toBe("yes");
});
