/** Counts as people write them: `1 leak`, `2 leaks`. */

/** `noun` in the singular; `plural` where it takes more than an s. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
