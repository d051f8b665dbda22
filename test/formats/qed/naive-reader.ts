/** Reads a small QED image in memory the slow and obvious way, with bigints, apart from all code under test. */

export interface NaiveQedImage {
  readonly guest: Uint8Array;
  /** `data`, `zero` or `-` for each guest cluster. */
  readonly states: readonly string[];
  readonly virtualSize: number;
  readonly corruptions: number;
  readonly leaks: number;
}

/** Follows every pointer; throws for a header that no reader opens. */
export function readQedNaively(file: Uint8Array): NaiveQedImage {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  if (view.getUint32(0) !== 0x51454400) throw new Error("no QED magic");
  const clusterSize = view.getUint32(4, true);
  const tableSize = view.getUint32(8, true);
  const headerSize = view.getUint32(12, true);
  const [l1Offset, virtualSize] = [u64(40), u64(48)];
  const clusterCount = Math.floor(file.length / clusterSize);
  const entryCount = (clusterSize * tableSize) / 8;
  const uses = new Array<number>(clusterCount).fill(0);
  const wrong: string[] = [];
  const use = (hostOffset: number, count: number) => {
    const first = hostOffset / clusterSize;
    if (!Number.isInteger(first) || first + count > clusterCount) wrong.push(`outside: ${hostOffset}`);
    else for (let cluster = first; cluster < first + count; cluster++) uses[cluster] = (uses[cluster] as number) + 1;
  };
  use(0, headerSize);
  use(l1Offset, tableSize);
  if (wrong.length > 0) throw new Error(wrong.join());

  const guest = new Uint8Array(virtualSize);
  const states: string[] = [];
  for (let index = 0; index < entryCount; index++) {
    const l2Offset = u64(l1Offset + index * 8);
    if (l2Offset === 0) continue;
    use(l2Offset, tableSize);
    if (wrong.length > 0) break;
    for (let entry = 0; entry < entryCount; entry++) {
      const hostOffset = u64(l2Offset + entry * 8);
      const guestCluster = index * entryCount + entry;
      if (hostOffset > 1) {
        use(hostOffset, 1);
        const guestOffset = guestCluster * clusterSize;
        const length = Math.max(0, Math.min(clusterSize, virtualSize - guestOffset));
        if (length > 0) guest.set(file.subarray(hostOffset, hostOffset + length), guestOffset);
      }
      if (guestCluster * clusterSize < virtualSize && hostOffset > 0) {
        states[guestCluster] = hostOffset === 1 ? "zero" : "data";
      }
    }
  }
  const all = Array.from({ length: Math.ceil(virtualSize / clusterSize) }, (_, at) => states[at] ?? "-");
  const twice = uses.filter((count) => count > 1).length;
  const leaks = uses.filter((count) => count === 0).length;
  return { guest, states: all, virtualSize, corruptions: twice + wrong.length, leaks };
}
