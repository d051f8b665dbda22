/** The completion script for zsh, by its own `_arguments`: summaries stand beside the words. */

import {
  type Candidates,
  type CompletedCommand,
  type CompletedOption,
  type Completion,
  keysByFormat,
  quoted,
  valuesOfKey,
} from "./completion-table.ts";

export function zshScript(completion: Completion): string {
  const commands = completion.map(({ name, summary }) => `        ${quoted(`${name}:${escaped(summary)}`)}\n`);
  return `#compdef inplace-convert
# Completes inplace-convert in zsh. Put it as _inplace-convert into a folder of $fpath, or source it after compinit.
_inplace_convert() {
  local curcontext=$curcontext state state_descr line ret=1
  local -A opt_args
  local -a commands
  _arguments -C '(- *)'{-h,--help}'[display help]' '(- *)--version[output the version number]' \\
    '1:command:->command' '*:: :->words' && ret=0
  case $state in
    command)
      commands=(
${commands.join("")}      )
      _describe -t commands command commands && ret=0
      ;;
    words)
      curcontext=\${curcontext%:*:*}:inplace-convert-$words[1]:
      case $words[1] in
${completion.map(commandCase).join("")}      esac
      ;;
  esac
  return ret
}
if [[ $funcstack[1] == _inplace-convert ]]; then
  _inplace_convert "$@"
else
  compdef _inplace_convert inplace-convert
fi
`;
}

function commandCase(command: CompletedCommand): string {
  const { name, options, places, formatAt } = command;
  const specs = [
    ...options.map(optionSpec),
    ...places.map(({ name, candidates, isRepeated }) => {
      return quoted(`${isRepeated ? "*" : ""}:${escaped(name)}:${action(candidates)}`);
    }),
  ];
  const keys = keysByFormat(command).map(keyCase);
  const format = formatAt === undefined ? '""' : `"$line[${formatAt + 1}]"`;
  const ofState = `          if [[ $state == keys ]]; then
            case ${format} in
${keys.join("")}            esac
          fi
`;
  return `        ${name})
          state=
          _arguments -C -s -S \\
            ${specs.join(" \\\n            ")} && ret=0
${keys.length > 0 ? ofState : ""}          ;;
`;
}

function optionSpec({ flags, summary, value, isRepeatable, isHidden }: CompletedOption): string {
  const suffixed = flags.map((flag) => flag + (value === undefined ? "" : flag.startsWith("--") ? "=" : "+"));
  const rest = `[${escaped(summary)}]${value === undefined ? "" : `:${escaped(value.name)}:${action(value.candidates)}`}`;
  const mark = isHidden ? "!" : "";
  if (isRepeatable) return suffixed.map((flag) => quoted(`${mark}*${flag}${rest}`)).join(" ");
  const others = flags.length > 1 ? `(${flags.join(" ")})` : "";
  return suffixed.map((flag) => quoted(`${mark}${others}${flag}${rest}`)).join(" ");
}

function action(candidates: Candidates): string {
  switch (candidates.kind) {
    case "words":
      return `(${candidates.words.join(" ")})`;
    case "list":
      return ` _values -s , word ${candidates.words.join(" ")}`;
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "keys":
      return "->keys";
    default:
      return " ";
  }
}

function keyCase([format, options]: ReturnType<typeof keysByFormat>[number]): string {
  const specs = options.map((option) => {
    const values = valuesOfKey(option);
    const value = values.length > 0 ? `(${values.join(" ")})` : option.kind === "path" ? "_files" : " ";
    return quoted(`${option.name}[${escaped(option.help)}]:${option.kind}:${value}`);
  });
  const pattern = format === "" ? "*" : format;
  return `              ${pattern}) _values -s , option ${[...specs, quoted("help[list them]")].join(" ")} && ret=0 ;;\n`;
}

/** Inside a specification brackets and colons have a meaning. */
function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, "\\$&");
}
