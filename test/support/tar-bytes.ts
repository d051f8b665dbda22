/** Tar archives made by hand, wrong ones too. */

export interface TarPart {
  readonly name: string;
  readonly content?: Uint8Array;
  /** `0` file, `2` symbolic link, `5` folder, `x` pax header, … */
  readonly type?: string;
  /** Instead of the content's length. */
  readonly size?: number;
  readonly prefix?: string;
  /** Default POSIX's. */
  readonly magic?: string;
  /** The size as GNU writes one that octal digits can't hold. */
  readonly isBinary?: boolean;
}

export function tarBytes(parts: readonly TarPart[], hasEnd = true): Buffer {
  const blocks = parts.flatMap(
    ({
      name,
      content = Buffer.alloc(0),
      type = "0",
      size = content.length,
      prefix = "",
      magic = "ustar\x0000",
      isBinary = false,
    }) => {
      const header = Buffer.alloc(512);
      header.write(name, 0, 100, "utf8");
      header.write("0000644\0", 100);
      header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
      if (isBinary)
        header.set(
          [0x80, 0, 0, 0, 0, 0, ...Array.from({ length: 6 }, (_, at) => Math.floor(size / 256 ** (5 - at)) % 256)],
          124,
        );
      header.write("        ", 148);
      header.write(type, 156);
      header.write(magic, 257, 8, "latin1");
      header.write(prefix, 345, 155, "utf8");
      const sum = header.reduce((total, byte) => total + byte, 0);
      header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
      return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
    },
  );
  return Buffer.concat(hasEnd ? [...blocks, Buffer.alloc(1024)] : blocks);
}

/** One `LENGTH KEY=VALUE\n`. */
export function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return Buffer.from(`${length} ${key}=${value}\n`);
}
