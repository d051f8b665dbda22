import { describe, expect, it } from "vitest";
import { PointerWords } from "../../../../../src/formats/qcow2/rearrange/pointer-words.ts";
import { seededRandom } from "../../../../support/random.ts";

describe("the words that point at pieces", () => {
  it("are all told, of each piece its own, with what they point at", () => {
    const random = seededRandom(1);
    const words = new PointerWords(20);
    const expected = new Map<number, string[]>();
    for (let turn = 0; turn < 5000; turn++) {
      const piece = random.below(random.pick([2, 49]));
      const [holder, within, isCompressed] = [random.below(2 ** 25), 8 * random.below(2 ** 29), random.chance(0.5)];
      words.add(piece, holder, within, isCompressed);
      expected.set(piece, [...(expected.get(piece) ?? []), `${holder} ${within} ${isCompressed}`]);
    }
    for (let piece = 0; piece < 50; piece++) {
      const told: string[] = [];
      words.each(piece, (...word) => told.push(word.join(" ")));
      expect(told.sort()).toEqual((expected.get(piece) ?? []).sort());
    }
  });
});
