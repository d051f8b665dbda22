/** What the keys of `-o` are for a target where they are not given. */

interface TargetDefault {
  /** For people, code in backticks. */
  readonly text: string;
  /** The value that says the same of a raw disk of 1 MiB called `disk.raw`, for a test that it makes the same file; absent where none does. */
  readonly value?: string;
}

function always(value: string): TargetDefault {
  return { text: `\`${value}\``, value };
}

/** By `format.key`. */
export const targetDefaults: Readonly<Record<string, TargetDefault>> = {
  "qcow2.cluster_size": { text: "the source's unit where qcow2 can have it, else `64k`", value: "64k" },
  "qcow2.compat": always("1.1"),
  "qcow2.refcount_bits": always("16"),
  "qcow2.compression_type": always("zlib"),
  "qcow2.lazy_refcounts": always("off"),
  "qcow2.extended_l2": always("off"),
  "qed.cluster_size": { text: "the source's unit where QED can have it, else `64k`", value: "64k" },
  "qed.table_size": { text: "`4` where the disk fits, else more", value: "4" },
  "qcow.cluster_size": { text: "the source's unit where qcow can have it, else `64k`", value: "64k" },
  "vpc.subformat": always("dynamic"),
  "vpc.force_size": always("off"),
  "vpc.align": { text: "`1M` of a fixed VHD, unless `force_size` is on" },
  "vpc.gpt": { text: "`keep`" },
  "vmdk.subformat": always("monolithicSparse"),
  "vmdk.adapter_type": always("ide"),
  "vdi.static": always("off"),
  "parallels.cluster_size": { text: "`1M`, more where the BAT would be larger than 2 MiB", value: "1M" },
  "vhdx.subformat": always("dynamic"),
  "vhdx.block_size": { text: "`1M`, more where the BAT would be larger than 8 MiB", value: "1M" },
  "ova.ovf": { text: "a plain descriptor" },
  "ova.cpus": always("1"),
  "ova.memory": always("1G"),
  "ova.network": always("VM Network"),
  "ova.name": { text: "the file's name, without its extension", value: "disk" },
  "ova.adapter_type": always("ide"),
  "raw.align": { text: "as long as it is" },
  "raw.gpt": always("keep"),
};
