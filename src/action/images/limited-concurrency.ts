/** Many things to do, a few of them at once. */

/** Results in the order of `items`, at most `count` of them at work at once. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  count: number,
  perform: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const worker = async () => {
    for (const [index, item] of waiting) results[index] = await perform(item);
  };
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, worker));
  return results;
}
