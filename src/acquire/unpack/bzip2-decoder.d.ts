/** The block decoder inside unbzip2-stream, without the stream around it. */

declare module "unbzip2-stream/lib/bzip2.js" {
  /** Takes the next bits, at most 32; `null` goes on at the next whole byte. */
  export type TakeBits = (count: number | null) => number;

  interface Bzip2 {
    /** Reads a stream's header; gives the block size in units of 100,000 bytes. */
    header(bits: TakeBits): number;
    /** Decodes one block; gives the stream's new checksum, or null at the stream's end. */
    decompress(
      bits: TakeBits,
      put: (byte: number) => void,
      work: Int32Array,
      workLength: number,
      checksum: number,
    ): number | null;
  }
  const bzip2: Bzip2;
  export default bzip2;
}
