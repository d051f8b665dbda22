import { describe, expect, test } from "vitest";
import { Bitmap } from "../../../../../src/bytes/bitmap.ts";
import { StreamPlaces } from "../../../../../src/formats/qcow2/encode/stream-places.ts";

const CLUSTER = 16_384;

/** `free` are clusters of 32. */
function placesOf(...free: number[]): StreamPlaces {
  const available = new Bitmap(32);
  for (const cluster of free) available.mark(cluster, 1);
  return new StreamPlaces(available, 32, CLUSTER);
}

describe("where streams go", () => {
  test("one behind another, over the border of clusters side by side", () => {
    const places = placesOf(3, 4, 9);
    expect(places.take(10_000)).toBe(3 * CLUSTER);
    expect(places.take(10_000)).toBe(3 * CLUSTER + 10_000);
    expect(places.take(10_000)).toBe(3 * CLUSTER + 20_000);
    // Cluster 4 ends before it, and 5 is taken.
    expect(places.take(10_000)).toBe(9 * CLUSTER);
    expect(places.available.markedCount).toBe(0);
  });

  test("a short one into what the end of a run has left", () => {
    const places = placesOf(3, 9);
    expect(places.take(10_000)).toBe(3 * CLUSTER);
    expect(places.take(10_000)).toBe(9 * CLUSTER);
    expect(places.take(6_000)).toBe(3 * CLUSTER + 10_000);
    expect(places.take(6_000)).toBe(9 * CLUSTER + 10_000);
    expect(places.take(6_000)).toBeUndefined();
    expect(places.take(384)).toBe(3 * CLUSTER + 16_000);
  });

  test("no block holds streams of two batches", () => {
    const places = placesOf(3);
    expect(places.take(100)).toBe(3 * CLUSTER);
    places.seal();
    expect(places.take(100)).toBe(3 * CLUSTER + 4096);
    expect(places.take(100)).toBe(3 * CLUSTER + 4196);
    places.seal();
    expect(places.take(8192)).toBe(3 * CLUSTER + 8192);
    places.seal();
    expect(places.take(1)).toBeUndefined();
  });

  test("what becomes free below comes first once a batch is sealed, and what was left above is taken up again", () => {
    const places = placesOf(20, 21);
    expect(places.take(9_000)).toBe(20 * CLUSTER);
    places.give(5);
    expect(places.take(5_000)).toBe(20 * CLUSTER + 9_000);
    places.seal();
    expect(places.take(16_000)).toBe(5 * CLUSTER);
    expect(places.take(2_000)).toBe(21 * CLUSTER);
    places.give(6, 2);
    places.seal();
    expect(places.take(16_000)).toBe(6 * CLUSTER);
  });

  test("nothing beyond a limit, and no cluster is taken for it", () => {
    const places = placesOf(3, 8);
    expect(places.take(16_000, 8 * CLUSTER)).toBe(3 * CLUSTER);
    expect(places.take(16_000, 8 * CLUSTER)).toBeUndefined();
    expect(places.available.has(8)).toBe(true);
    const open = placesOf(3, 4);
    expect(open.take(10_000, 4 * CLUSTER)).toBe(3 * CLUSTER);
    expect(open.take(10_000, 4 * CLUSTER)).toBeUndefined();
    expect(open.available.has(4)).toBe(true);
  });
});
