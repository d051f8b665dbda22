/** The completion script for bash, 3.2 and newer; it needs no other package. */

import {
  type Candidates,
  type CompletedCommand,
  type Completion,
  keysByFormat,
  quoted,
  valuesOfKey,
} from "./completion-table.ts";

/**
 * One function: it puts together what bash parts at `=` and `:`, skips the values of options, and looks up what fits in the
 * place that is left. Where files fit it answers nothing, and bash completes them itself.
 */
export function bashScript(completion: Completion): string {
  const names = completion.map(({ name }) => name).join(" ");
  return `# Completes inplace-convert in bash. Source it, or put it into
# ~/.local/share/bash-completion/completions/inplace-convert
_inplace_convert() {
  local IFS=$' \\t\\n' i word name= format= found= before= value count=0 last rest ended=
  local options= takes= list=
  local -a words=() places=()
  COMPREPLY=()
  # Bash parts words at "=" and ":" too: what stands right behind the one before it belongs to that.
  rest=\${COMP_LINE#"\${COMP_LINE%%[![:blank:]]*}"}
  rest=\${rest#"\${COMP_WORDS[0]}"}
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ i -gt 1 && -n $rest && $rest == "$word"* && $rest != [[:blank:]]* ]]; then
      words[\${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    rest=\${rest#"\${rest%%[![:blank:]]*}"}
    rest=\${rest#"$word"}
  done
  last=$((\${#words[@]} - 1))
  value=\${words[last]}
  if ((last == 0)); then
    COMPREPLY=($(compgen -W ${quoted(`${names} --help --version`)} -- "$value"))
    return
  fi
  local formatAt=-1 command=\${words[0]}
  case $command in
${completion.map(commandCase).join("")}    *) return ;;
  esac
  for ((i = 1; i < last; i++)); do
    word=\${words[i]}
    if [[ -z $ended && $word == -- ]]; then
      ended=1
    elif [[ -z $ended && " $takes " == *" $word "* ]]; then
      ((++i == last)) && name=$word
    elif [[ -n $ended || $word != -?* ]]; then
      ((count == formatAt)) && format=$word
      ((++count))
    fi
  done
  if [[ -n $ended ]]; then
    :
  elif [[ -z $name && $value == --*=* ]]; then
    name=\${value%%=*}
    before=$name=
    value=\${value#*=}
  elif [[ -z $name && $value == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$value"))
    return
  fi
  if [[ -n $name ]]; then
    case $command.$name in
${completion.flatMap(valueCases).join("")}    esac
  else
    ((count < \${#places[@]})) || count=$((\${#places[@]} - 1))
    ((count < 0)) || found=\${places[count]}
  fi
  case $found in
    file) return ;;
    folder)
      compopt -o dirnames +o default 2>/dev/null
      return
      ;;
    "list "*)
      found=\${found#* }
      before+=\${value%"\${value##*,}"}
      value=\${value##*,}
      ;;
    keys)
      case $command.$format in
${completion.flatMap(keyCases).join("")}      esac
      found=
      before+=\${value%"\${value##*,}"}
      value=\${value##*,}
      # A key first, and its values once that is written.
      for word in $list; do
        if [[ ($value == *=* && $word != *=) || ($value != *=* && ($word == *= || $word == help)) ]]; then found+=" $word"; fi
      done
      ;;
  esac
  COMPREPLY=($(compgen -P "$before" -W "$found" -- "$value"))
  compopt +o default 2>/dev/null
  [[ \${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  # Readline puts in what comes after the last place where it parts words.
  word=\${words[last]}
  if [[ $COMP_WORDBREAKS == *=* && $word == *=* ]]; then
    word=\${word%"\${word##*=}"}
    COMPREPLY=("\${COMPREPLY[@]#"$word"}")
  fi
  return 0
}
complete -o default -F _inplace_convert inplace-convert
`;
}

function commandCase({ name, options, places, formatAt = -1 }: CompletedCommand): string {
  const flags = options.filter(({ isHidden }) => !isHidden).flatMap((option) => option.flags);
  const takes = options.filter(({ value }) => value !== undefined).flatMap((option) => option.flags);
  const found = places.map(({ candidates }) => quoted(lookup(candidates))).join(" ");
  return `    ${name})
      options=${quoted(flags.join(" "))}
      takes=${quoted(takes.join(" "))}
      places=(${found})
      formatAt=${formatAt}
      ;;
`;
}

function valueCases({ name, options }: CompletedCommand): string[] {
  return options.flatMap(({ flags, value }) => {
    if (value === undefined) return [];
    const patterns = flags.map((flag) => `${name}.${flag}`).join(" | ");
    return [`      ${patterns}) found=${quoted(lookup(value.candidates))} ;;\n`];
  });
}

/** The words themselves, or which kind of thing it is. */
function lookup(candidates: Candidates): string {
  if (candidates.kind === "words") return candidates.words.join(" ");
  if (candidates.kind === "list") return ["list", ...candidates.words].join(" ");
  return candidates.kind === "unknown" ? "" : candidates.kind;
}

function keyCases(command: CompletedCommand): string[] {
  return keysByFormat(command).map(([format, options]) => {
    const words = options.flatMap((option) => ["", ...valuesOfKey(option)].map((value) => `${option.name}=${value}`));
    return `        ${command.name}.${format === "" ? "*" : format}) list=${quoted([...words, "help"].join(" "))} ;;\n`;
  });
}
