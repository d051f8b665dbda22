/** The completion script for fish, 3.0 and newer. */

import {
  type Candidates,
  type CompletedCommand,
  type CompletedOption,
  type Completion,
  keysByFormat,
  valuesOfKey,
} from "./completion-table.ts";

export function fishScript(completion: Completion): string {
  return `# Completes inplace-convert in fish. Put it into ~/.config/fish/completions/inplace-convert.fish

# The command and its words before the cursor, without options and their values.
function __inplace_convert_words
    set -l words (commandline -opc)
    set -e words[1]
    set -l takes
    switch "$words[1]"
${completion.map(takesCase).join("")}    end
    set -l isValue 0
    for word in $words
        if test $isValue = 1
            set isValue 0
        else if contains -- $word $takes
            set isValue 1
        else if not string match -q -- '-?*' $word
            printf '%s\\n' $word
        end
    end
end

# Whether the cursor is at the command's word of this number, 0 being the command itself.
function __inplace_convert_at
    set -l words (__inplace_convert_words)
    test (count $words) -eq $argv[2]; and test "$words[1]" = $argv[1]
end

function __inplace_convert_is
    set -l words (__inplace_convert_words)
    test "$words[1]" = $argv[1]
end

# What -o takes, after those of the list that are written already.
function __inplace_convert_keys
    set -l words (__inplace_convert_words)
    set -l token (commandline -ct | string replace -r '^(-o|--target-format-options=)' '')
    set -l before (string replace -r '[^,]*$' '' -- $token)
    set -l keys
    switch "$words[1] $words[3]"
${completion.flatMap(keyCases).join("")}    end
    for key in $keys
        printf '%s%s\\n' "$before" $key
    end
end

# Words with commas between, after those that are written already.
function __inplace_convert_list
    set -l token (commandline -ct | string replace -r '^--[^=]*=' '')
    set -l before (string replace -r '[^,]*$' '' -- $token)
    for word in $argv
        printf '%s%s\\n' "$before" $word
    end
end

complete -c inplace-convert -f
complete -c inplace-convert -n '__inplace_convert_at "" 0' -s h -l help -d 'display help'
complete -c inplace-convert -n '__inplace_convert_at "" 0' -l version -d 'output the version number'
${completion.map(commandLines).join("")}`;
}

function takesCase({ name, options }: CompletedCommand): string {
  const takes = options.filter(({ value }) => value !== undefined).flatMap(({ flags }) => flags);
  return `        case ${name}\n            set takes ${takes.join(" ")}\n`;
}

/** By the command and, where it has one, its target's format: `formatAt` is 1 wherever there is one, so that is the third word. */
function keyCases(command: CompletedCommand): string[] {
  return keysByFormat(command).map(([format, options]) => {
    const words = options.flatMap((option) => {
      const values = valuesOfKey(option);
      const said = values.length > 0 ? values : [""];
      return said.map((value) => described(`${option.name}=${value}`, option.help));
    });
    const pattern = quoted(format === "" ? `${command.name} *` : `${command.name} ${format}`);
    return `        case ${pattern}\n            set keys ${[...words, described("help", "list them")].join(" ")}\n`;
  });
}

function commandLines({ name, summary, options, places }: CompletedCommand): string {
  const first = `complete -c inplace-convert -n '__inplace_convert_at "" 0' -a ${name} -d ${quoted(summary)}\n`;
  const words = places.flatMap(({ candidates, isRepeated }, at) => {
    const words = candidatesOf(candidates);
    const test = isRepeated ? `__inplace_convert_is ${name}` : `__inplace_convert_at ${name} ${at + 1}`;
    return words === undefined ? [] : [`complete -c inplace-convert -n '${test}' ${words}\n`];
  });
  const lines = options.filter(({ isHidden }) => !isHidden).map((option) => optionLine(name, option));
  return [first, ...words, ...lines].join("");
}

function optionLine(name: string, { flags, summary, value }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(" ");
  const words = value === undefined ? "" : ` -r ${candidatesOf(value.candidates) ?? "-f"}`;
  return `complete -c inplace-convert -n '__inplace_convert_is ${name}' ${names}${words} -d ${quoted(summary)}\n`;
}

function candidatesOf(candidates: Candidates): string | undefined {
  switch (candidates.kind) {
    case "words":
      return `-f -a ${quoted(candidates.words.join(" "))}`;
    case "list":
      return `-f -a '(__inplace_convert_list ${candidates.words.join(" ")})'`;
    case "file":
      return "-F";
    case "folder":
      return "-f -a '(__fish_complete_directories)'";
    case "keys":
      return "-f -a '(__inplace_convert_keys)'";
    default:
      return undefined;
  }
}

/** A word, and after a tab what is said of it. */
function described(word: string, summary: string): string {
  return `${quoted(word)}\\t${quoted(summary)}`;
}

/** In fish's single quotes only these two mean something. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
