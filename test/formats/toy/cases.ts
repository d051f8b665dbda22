/** Toys: one accepted for each thing that a header can say, one refused for each rule, made byte by byte. */

import type { CorpusCase } from "../../corpus/case.ts";
import { type BuiltToy, buildToy, type ToyDescription } from "./builder.ts";

const PLAIN: ToyDescription = { virtualSize: 40 * 4096, data: [0, 1, 5] };

/** qemu-img knows no toy. */
const common = { target: "qcow2", qemu: "refuses" } as const;
const accept = (name: string, description: ToyDescription): CorpusCase => ({
  name: `accept/toy/${name}`,
  bytes: Buffer.from(buildToy(description).bytes),
  ...common,
});
const refuse = (name: string, says: RegExp, change: (bytes: Buffer, toy: BuiltToy) => Buffer | void): CorpusCase => {
  const toy = buildToy(PLAIN);
  const bytes = Buffer.from(toy.bytes);
  return { name: `refuse/toy/${name}`, says, bytes: change(bytes, toy) ?? bytes, ...common };
};
const u32 = (hostOffset: number, value: number) => (bytes: Buffer) => void bytes.writeUInt32BE(value, hostOffset);
const u64 = (hostOffset: number, value: number) => (bytes: Buffer) =>
  void bytes.writeBigUInt64BE(BigInt(value), hostOffset);
const entry = (block: number, value: (bytes: Buffer, toy: BuiltToy) => number) => (bytes: Buffer, toy: BuiltToy) =>
  void bytes.writeBigUInt64BE(BigInt(value(bytes, toy)), toy.tableOffset + block * 8);

export const toyCases: readonly CorpusCase[] = [
  accept("plain", PLAIN),
  accept("large-blocks", { ...PLAIN, blockSize: 65_536, virtualSize: 8 * 65_536 }),
  accept("odd-size", { ...PLAIN, virtualSize: 40 * 4096 - 1536 }),
  accept("table-last-unused-blocks-and-a-tail", { ...PLAIN, table: "last", unused: 2, tail: 700 }),
  refuse("unsupported--version-2", /version 2.*0x8/, u32(8, 2)),
  refuse("corrupt--block-size-no-power-of-two", /block size 4097.*0xc/, u32(12, 4097)),
  refuse("corrupt--block-size-2048", /block size 2048.*0xc/, u32(12, 2048)),
  refuse("corrupt--virtual-size-unaligned", /virtual size 513.*0x10/, u64(16, 513)),
  refuse("corrupt--virtual-size-beyond-the-table", /table at.*outside the file/, u64(16, 2 ** 40)),
  refuse("corrupt--table-unaligned", /table at 0x1200/, u64(24, 0x1200)),
  refuse("corrupt--table-in-the-header", /table at 0x0 /, u64(24, 0)),
  refuse("corrupt--table-past-the-end", /outside the file/, (bytes) => u64(24, bytes.length)(bytes)),
  refuse("corrupt--block-past-the-end", /outside the file/, entry(1, (bytes) => bytes.length)),
  refuse("corrupt--block-unaligned", /not aligned/, entry(1, (_, toy) => (toy.dataOffsets.get(1) ?? 0) + 512)),
  refuse("corrupt--block-on-the-table", /lies on the table/, entry(1, (_, toy) => toy.tableOffset)),
  refuse("corrupt--block-used-twice", /two blocks share/, entry(1, (_, toy) => toy.dataOffsets.get(0) ?? 0)),
  refuse("corrupt--cut-inside-its-table", /outside the file/, (bytes) => bytes.subarray(0, 4096 + 512)),
  refuse("out-of-bounds--cut-inside-its-header", /toy header/, (bytes) => bytes.subarray(0, 20)),
];
