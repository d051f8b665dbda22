/** An order by numbers below 2^32, digit by digit: millions in a fraction of a second, and no object for each. */

const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;
/** Fewer are compared: to go through all digits would take longer. */
const FEW = 256;

/** The indices of the first `count` keys, ascending by key; equal keys stay in their order. */
export function ascending(keys: Uint32Array, count: number = keys.length): Uint32Array {
  let order = new Uint32Array(count);
  let highest = 0;
  let isAscending = true;
  for (let at = 0; at < count; at++) {
    const key = keys[at] as number;
    order[at] = at;
    if (key < highest) isAscending = false;
    else highest = key;
  }
  if (isAscending) return order;
  if (count < FEW) return order.sort((a, b) => (keys[a] as number) - (keys[b] as number));
  let other = new Uint32Array(count);
  const starts = new Uint32Array(DIGITS);
  for (let shift = 0; shift < 32 && highest >>> shift !== 0; shift += DIGIT_BITS) {
    starts.fill(0);
    for (let at = 0; at < count; at++) {
      const digit = ((keys[at] as number) >>> shift) & (DIGITS - 1);
      starts[digit] = (starts[digit] as number) + 1;
    }
    let start = 0;
    for (let digit = 0; digit < DIGITS; digit++) {
      const size = starts[digit] as number;
      starts[digit] = start;
      start += size;
    }
    for (const index of order) {
      const digit = ((keys[index] as number) >>> shift) & (DIGITS - 1);
      const place = starts[digit] as number;
      starts[digit] = place + 1;
      other[place] = index;
    }
    [order, other] = [other, order];
  }
  return order;
}
