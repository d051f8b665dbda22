/**
 * A boot sector that reads a disk as firmware shows it (INT 13h, AH=42h), prints what it read as sums on the first serial
 * port and ends the machine by QEMU's isa-debug-exit. It is 16-bit code for 7c00:
 *
 *   | code | words | packet | one LBA of 32 bits a place ... | 55 aa |
 *
 * Instructions are bytes, as in Intel's manual, volume 2; addresses in them are filled in by name.
 */

const ORIGIN = 0x7c00;
const SECTOR = 512;
const SIGNATURE_AT = 510;
/** Where the sectors of a place are read to. */
const BUFFER = 0x8000;
/** COM1's data; five further on is its line status. */
const SERIAL = 0x3f8;

/** Sectors that are read at each place, so that a place may lie on both sides of a border between units. */
export const SECTORS_A_PLACE = 8;
/** What the first serial line begins with. */
export const GREETING = "inplace-boot";
/** The port of isa-debug-exit; QEMU's exit code is twice what is written there, and one. */
export const EXIT_PORT = 0xf4;
export const exitCodes = { read: 0x10 * 2 + 1, failed: 0x11 * 2 + 1 } as const;

/** A byte; a name for what follows; where that lies: in memory, or from the end of the two or the one byte on. */
type Part = number | { readonly is: "name" | "address" | "far" | "near"; readonly name: string };

const named = (name: string): Part => ({ is: "name", name });
const address = (name: string): Part => ({ is: "address", name });
const far = (name: string): Part => ({ is: "far", name });
const near = (name: string): Part => ({ is: "near", name });
const word = (value: number): Part[] => [value & 0xff, value >> 8];
const text = (value: string): Part[] => [...Buffer.from(value, "latin1")];

const code = (placeCount: number): readonly Part[] => [
  // A BIOS may enter at 07c0:0000 as well.
  ...[0xea, address("start"), ...word(0)], //         jmp 0:start
  named("start"),
  ...[0x31, 0xc0], //                                 xor ax, ax
  ...[0x8e, 0xd8], //                                 mov ds, ax
  ...[0x8e, 0xc0], //                                 mov es, ax
  ...[0x8e, 0xd0], //                                 mov ss, ax
  ...[0xbc, ...word(ORIGIN)], //                      mov sp, 7c00
  ...[0xfc], //                                       cld
  ...[0xbe, address("greeting")], //                  mov si, greeting
  ...[0xe8, far("print-text")], //                call print-text
  ...[0xbf, address("places")], //                    mov di, places
  ...[0xb9, ...word(placeCount)], //                  mov cx, placeCount
  ...[0x66, 0x31, 0xed], //                           xor ebp, ebp         the sum

  named("next-place"),
  ...[0x51, 0x57], //                                 push cx, di
  ...[0x66, 0x8b, 0x05], //                           mov eax, [di]
  ...[0x66, 0xa3, address("packet-lba")], //          mov [packet-lba], eax
  // Firmware leaves there how many it read.
  ...[0xc7, 0x06, address("packet-count"), ...word(SECTORS_A_PLACE)], // mov word [packet-count], 8
  ...[0xbe, address("packet")], //                    mov si, packet
  ...[0xb4, 0x42], //                                 mov ah, 42           dl is the drive since the start
  ...[0x52, 0x66, 0x55], //                           push dx, ebp
  ...[0xcd, 0x13], //                                 int 13
  ...[0x66, 0x5d, 0x5a], //                           pop ebp, dx
  ...[0x72, near("failed")], //                   jc failed

  ...[0xbe, ...word(BUFFER)], //                      mov si, buffer
  ...[0xb9, ...word((SECTORS_A_PLACE * SECTOR) / 4)], // mov cx, dwords
  named("next-dword"),
  ...[0x66, 0xad], //                                 lodsd
  // Turned before each addition: the same words in another order have another sum.
  ...[0x66, 0xd1, 0xc5], //                           rol ebp, 1
  ...[0x66, 0x01, 0xc5], //                           add ebp, eax
  ...[0xe2, near("next-dword")], //               loop next-dword

  ...[0xb0, 0x20], //                                 mov al, ' '
  ...[0xe8, far("print")], //                     call print
  ...[0xb9, ...word(8)], //                           mov cx, 8            hex digits
  named("next-digit"),
  // Eight turns by four bits leave the sum as it was.
  ...[0x66, 0xc1, 0xc5, 0x04], //                     rol ebp, 4
  ...[0x89, 0xe8], //                                 mov ax, bp
  ...[0x24, 0x0f], //                                 and al, 0f
  ...[0x04, 0x30], //                                 add al, '0'
  ...[0x3c, 0x3a], //                                 cmp al, '9' + 1
  ...[0x72, 0x02], //                                 jb over the next
  ...[0x04, 0x27], //                                 add al, 'a' - '9' - 1
  ...[0xe8, far("print")], //                     call print
  ...[0xe2, near("next-digit")], //               loop next-digit

  ...[0x5f, 0x59], //                                 pop di, cx
  ...[0x83, 0xc7, 0x04], //                           add di, 4
  ...[0xe2, near("next-place")], //               loop next-place
  ...[0xb3, exitCodes.read >> 1], //                  mov bl, read
  ...[0xeb, near("end")], //                      jmp end

  named("failed"),
  ...[0xbe, address("failure")], //                   mov si, failure
  ...[0xe8, far("print-text")], //                call print-text
  ...[0xb3, exitCodes.failed >> 1], //                mov bl, failed
  named("end"),
  ...[0xb0, 0x0a], //                                 mov al, newline
  ...[0xe8, far("print")], //                     call print
  ...[0xba, ...word(SERIAL + 5)], //                  mov dx, line status
  named("not-sent"),
  ...[0xec, 0xa8, 0x40], //                           in al, dx; test al, transmitter empty
  ...[0x74, near("not-sent")], //                 jz not-sent
  ...[0x88, 0xd8], //                                 mov al, bl
  ...[0xe6, EXIT_PORT], //                            out exit port, al
  // Where there is no such device.
  named("halt"),
  ...[0xf4, 0xeb, near("halt")], //               hlt; jmp halt

  named("print-text"), //                             of si, up to a zero
  ...[0xac, 0x84, 0xc0], //                           lodsb; test al, al
  ...[0x74, near("printed")], //                  jz printed
  ...[0xe8, far("print")], //                     call print
  ...[0xeb, near("print-text")], //               jmp print-text

  named("print"), //                                  al; changes ah
  ...[0x52, 0x88, 0xc4], //                           push dx; mov ah, al
  ...[0xba, ...word(SERIAL + 5)], //                  mov dx, line status
  named("busy"),
  ...[0xec, 0xa8, 0x20], //                           in al, dx; test al, holding register empty
  ...[0x74, near("busy")], //                     jz busy
  ...[0xba, ...word(SERIAL)], //                      mov dx, data
  ...[0x88, 0xe0, 0xee], //                           mov al, ah; out dx, al
  ...[0x5a], //                                       pop dx
  named("printed"),
  ...[0xc3], //                                       ret

  named("greeting"),
  ...[...text(GREETING), 0],
  named("failure"),
  ...[...text(" unreadable"), 0],

  named("packet"), // of INT 13h's extended read
  ...word(16),
  named("packet-count"),
  ...word(0),
  ...[...word(BUFFER), ...word(0)],
  named("packet-lba"),
  ...word(0).concat(word(0), word(0), word(0)),
  named("places"),
];

function assembled(parts: readonly Part[]): number[] {
  const lengths = { name: 0, address: 2, far: 2, near: 1 };
  const places = new Map<string, number>();
  let end = 0;
  for (const part of parts) {
    if (typeof part === "object" && part.is === "name") places.set(part.name, end);
    end += typeof part === "object" ? lengths[part.is] : 1;
  }
  const bytes: number[] = [];
  for (const part of parts) {
    if (typeof part === "number") bytes.push(part);
    else if (part.is !== "name") {
      const place = places.get(part.name);
      if (place === undefined) throw new RangeError(`nothing in the boot sector is called ${part.name}`);
      const value = part.is === "address" ? ORIGIN + place : place - bytes.length - lengths[part.is];
      if (part.is === "near" && (value < -128 || value > 127))
        throw new RangeError(`${part.name} lies ${value} bytes away`);
      bytes.push(...[value & 0xff, (value >> 8) & 0xff].slice(0, lengths[part.is]));
    }
  }
  return bytes;
}

/** The sector of a disk of which `places` are read, each an LBA. Throws RangeError for more than it holds. */
export function bootSector(places: readonly number[]): Buffer {
  const sector = Buffer.alloc(SECTOR);
  const start = assembled(code(places.length));
  const room = Math.floor((SIGNATURE_AT - start.length) / 4);
  if (places.length > room) throw new RangeError(`the boot sector holds ${room} places, not ${places.length}`);
  sector.set(start);
  for (const [index, lba] of places.entries()) sector.writeUInt32LE(lba, start.length + 4 * index);
  sector.writeUInt16LE(0xaa55, SIGNATURE_AT);
  return sector;
}

/** The sum that the boot sector has after it read `bytes`, where it had `sum` before. */
export function sumAfter(bytes: Buffer, sum: number): number {
  for (let at = 0; at < bytes.length; at += 4) sum = (((sum << 1) | (sum >>> 31)) + bytes.readUInt32LE(at)) >>> 0;
  return sum;
}
