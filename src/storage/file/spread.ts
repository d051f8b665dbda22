/** Some of many, evenly spread: the first and the last are always among them. */

/** At most `max` of what each call of `each` goes through anew, so that nothing long is kept. */
export function spread<T>(each: () => Iterable<T>, max: number): T[] {
  let count = 0;
  for (const _ of each()) count++;
  const step = Math.ceil(count / Math.max(1, max - 1));
  const some: T[] = [];
  let at = 0;
  for (const one of each()) {
    if (at % step === 0 || at === count - 1) some.push(one);
    at++;
  }
  return some;
}
