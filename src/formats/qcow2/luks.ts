/**
 * The LUKS header inside an encrypted qcow2, as far as `info` tells of it: no key, nothing that is secret (LUKS On-Disk
 * Format Specification 1.2.3, "PHDR layout").
 *
 *   | magic, version | cipher, mode, hash | payload | key, digest, iterations | UUID | 8 key slots |
 *   0                8                    104       108                       168    208        592
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { bytes, type StructValues, storedText, struct, u16, u32 } from "../../bytes/struct.ts";
import { readZeroFilled, type Storage } from "../../storage/storage.ts";
import type { LuksDetails, LuksSlot } from "./details.ts";
import type { Qcow2Header } from "./header/header.ts";

const MAGIC = Buffer.from("LUKS\xba\xbe", "latin1");
const SLOT_COUNT = 8;
/** Of a slot that holds a key. */
const ACTIVE = 0x00ac71f3;

const Phdr = struct(
  "LUKS header",
  "be",
  { at: 0, size: 208 },
  {
    magic: bytes(0, 6),
    version: u16(6),
    cipherName: bytes(8, 32),
    cipherMode: bytes(40, 32),
    hashName: bytes(72, 32),
    /** In sectors from the start of this header. */
    payloadOffset: u32(104),
    keyBytes: u32(108),
    masterKeyDigest: bytes(112, 20),
    masterKeySalt: bytes(132, 32),
    masterKeyIterations: u32(164),
    uuid: bytes(168, 40),
  },
);

const KeySlot = struct(
  "LUKS key slot",
  "be",
  { at: 0, size: 48 },
  {
    active: u32(0),
    iterations: u32(4),
    salt: bytes(8, 32),
    /** In sectors from the start of the header. */
    keyOffset: u32(40),
    stripes: u32(44),
  },
);

const SIZE = Phdr.size + SLOT_COUNT * KeySlot.size;

/** Undefined where there is none, or what lies there is no LUKS header of version 1: an image is opened without it. */
export async function readLuks(
  storage: Storage,
  { encryption, extensions: { encryptionHeader } }: Qcow2Header,
  fileSize: number,
): Promise<LuksDetails | undefined> {
  if (encryption !== "luks" || encryptionHeader === undefined) return undefined;
  const { hostOffset, length } = encryptionHeader;
  if (length < SIZE || hostOffset + SIZE > fileSize) return undefined;
  const header = await readZeroFilled(storage, hostOffset, SIZE);
  const fields = Phdr.parse(header);
  if (!MAGIC.equals(fields.magic) || fields.version !== 1) return undefined;
  const slots = Array.from({ length: SLOT_COUNT }, (_, at) => {
    return slotOf(KeySlot.parse(header.subarray(Phdr.size + at * KeySlot.size)));
  });
  return detailsOf(fields, slots);
}

/** In qemu-img's order and by its names of ciphers. */
function detailsOf(fields: StructValues<typeof Phdr.fields>, slots: readonly LuksSlot[]): LuksDetails {
  // `xts-plain64`, `cbc-essiv:sha256`: the cipher's mode, how each sector's start value is made, and by which hash.
  const [, mode = "", start = "", hash] = /^([^-]*)-?([^:]*):?(.*)$/s.exec(storedText(fields.cipherMode)) ?? [];
  // XTS has two keys in one.
  const keyBits = (fields.keyBytes * 8) / (mode === "xts" ? 2 : 1);
  return {
    ivgenAlg: start,
    // It would lie in a file of its own.
    detachedHeader: false,
    hashAlg: storedText(fields.hashName),
    cipherAlg: `${storedText(fields.cipherName)}-${keyBits}`,
    uuid: storedText(fields.uuid),
    ...(hash ? { ivgenHashAlg: hash } : {}),
    format: "luks",
    cipherMode: mode,
    slots,
    payloadOffset: fields.payloadOffset * SECTOR_SIZE,
    masterKeyIters: fields.masterKeyIterations,
  };
}

function slotOf({ active, iterations, keyOffset, stripes }: StructValues<typeof KeySlot.fields>): LuksSlot {
  const place = keyOffset * SECTOR_SIZE;
  return active === ACTIVE
    ? { active: true, iters: iterations, keyOffset: place, stripes }
    : { active: false, keyOffset: place };
}
