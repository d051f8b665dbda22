/** Which job of a plan's matrix a step is in. */

/** As the input `shard` says it: `3` or `3/12`. */
export interface ShardNumber {
  readonly number: number;
  /** Of how many. */
  readonly total: number | undefined;
}

export function parseShard(text: string): ShardNumber | undefined {
  const [, number, total] = /^(\d{1,3})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const shard = { number: Number(number), total: total === undefined ? undefined : Number(total) };
  const isRight = number !== undefined && shard.number >= 1 && shard.number <= (shard.total ?? shard.number);
  return isRight ? shard : undefined;
}
