import{pi as e}from"./core-C1NiJqhS.mjs";import{a as t,i as n,r,s as i}from"./cli-BG74E24a.mjs";const a=[`bash`,`zsh`,`fish`],o={repair:[`leaks`,`all`],cache:r,drop:[`bitmaps`,`snapshots`,`leaks`]},s=[c([`-h`,`--help`],`short help; --help tells the exit codes too`),c([`-V`,`--version`],`the version of this program`)];function c(e,t){return{flags:e,summary:t,value:void 0,isRepeatable:!1,isHidden:!1}}async function l(e,t,n){let r=n.formatNames(),i=n.sourceOptions(),a={};for(let e of r)a[e]=[...await n.targetOptions(e),...i];return e.map(({name:e,words:n,summary:o,options:c,optionsOf:l})=>{let f=n.split(` `).filter(e=>e!==``).map(e=>u(e.replace(/[^A-Z]/g,``),e.includes(`...`),r)),p=f.findIndex(e=>e.name===`FORMAT`);return{name:e,summary:o,options:[...[...c?.()??[],...t].map(e=>d(e,r)),...s],places:f,formatAt:p<0?void 0:p,keys:l===`target`?{...a,"":i}:{"":l===`source`?i:[]}}})}function u(e,t,n){return{name:e,candidates:e===`FORMAT`?{kind:`words`,words:n}:e===`SHELL`?{kind:`words`,words:a}:{kind:/^(?:IMAGES?|A|B)$/.test(e)?`file`:`unknown`},isRepeated:t}}function d(e,t){let[,n]=/<(.*)>/.exec(e.flags)??[];return{flags:[e.short,e.long].filter(e=>e!==void 0),summary:e.description,value:n===void 0?void 0:{name:n,candidates:f(e,n,t)},isRepeatable:e.parseArg!==void 0&&e.argChoices===void 0,isHidden:e.hidden}}function f(e,t,n){let r=e.argChoices??o[e.attributeName()];if(r!==void 0)return{kind:t.endsWith(`,...`)?`list`:`words`,words:r};switch(t){case`FORMAT`:return{kind:`words`,words:n};case`KEY=VALUE,...`:return{kind:`keys`};case`PATH`:case`LIST`:return{kind:`file`};case`DIR`:return{kind:`folder`};default:return{kind:`unknown`}}}function p({kind:e,choices:t=[]}){return e===`boolean`?[`on`,`off`]:t}function m({keys:e}){return Object.entries(e).filter(([,e])=>e.length>0)}function h(e){return`'${e.replaceAll(`'`,`'\\''`)}'`}function g(e){return`# Completes inplace-convert in bash. Source it, or put it into
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
    COMPREPLY=($(compgen -W ${h(`${e.map(({name:e})=>e).join(` `)} --help --version`)} -- "$value"))
    return
  fi
  local formatAt=-1 command=\${words[0]}
  case $command in
${e.map(_).join(``)}    *) return ;;
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
${e.flatMap(v).join(``)}    esac
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
${e.flatMap(b).join(``)}      esac
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
`}function _({name:e,options:t,places:n,formatAt:r=-1}){let i=t.filter(({isHidden:e})=>!e).flatMap(e=>e.flags),a=t.filter(({value:e})=>e!==void 0).flatMap(e=>e.flags),o=n.map(({candidates:e})=>h(y(e))).join(` `);return`    ${e})
      options=${h(i.join(` `))}
      takes=${h(a.join(` `))}
      places=(${o})
      formatAt=${r}
      ;;
`}function v({name:e,options:t}){return t.flatMap(({flags:t,value:n})=>n===void 0?[]:[`      ${t.map(t=>`${e}.${t}`).join(` | `)}) found=${h(y(n.candidates))} ;;\n`])}function y(e){return e.kind===`words`?e.words.join(` `):e.kind===`list`?[`list`,...e.words].join(` `):e.kind===`unknown`?``:e.kind}function b(e){return m(e).map(([t,n])=>{let r=n.flatMap(e=>[``,...p(e)].map(t=>`${e.name}=${t}`));return`        ${e.name}.${t===``?`*`:t}) list=${h([...r,`help`].join(` `))} ;;\n`})}function x(e){return`# Completes inplace-convert in fish. Put it into ~/.config/fish/completions/inplace-convert.fish

# The command and its words before the cursor, without options and their values.
function __inplace_convert_words
    set -l words (commandline -opc)
    set -e words[1]
    set -l takes
    switch "$words[1]"
${e.map(S).join(``)}    end
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
${e.flatMap(C).join(``)}    end
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
${e.map(w).join(``)}`}function S({name:e,options:t}){return`        case ${e}\n            set takes ${t.filter(({value:e})=>e!==void 0).flatMap(({flags:e})=>e).join(` `)}\n`}function C(e){return m(e).map(([t,n])=>{let r=n.flatMap(e=>{let t=p(e);return(t.length>0?t:[``]).map(t=>D(`${e.name}=${t}`,e.help))});return`        case ${O(t===``?`${e.name} *`:`${e.name} ${t}`)}\n            set keys ${[...r,D(`help`,`list them`)].join(` `)}\n`})}function w({name:e,summary:t,options:n,places:r}){let i=`complete -c inplace-convert -n '__inplace_convert_at "" 0' -a ${e} -d ${O(t)}\n`,a=r.flatMap(({candidates:t,isRepeated:n},r)=>{let i=E(t),a=n?`__inplace_convert_is ${e}`:`__inplace_convert_at ${e} ${r+1}`;return i===void 0?[]:[`complete -c inplace-convert -n '${a}' ${i}\n`]}),o=n.filter(({isHidden:e})=>!e).map(t=>T(e,t));return[i,...a,...o].join(``)}function T(e,{flags:t,summary:n,value:r}){return`complete -c inplace-convert -n '__inplace_convert_is ${e}' ${t.map(e=>e.startsWith(`--`)?`-l ${e.slice(2)}`:`-s ${e.slice(1)}`).join(` `)}${r===void 0?``:` -r ${E(r.candidates)??`-f`}`} -d ${O(n)}\n`}function E(e){switch(e.kind){case`words`:return`-f -a ${O(e.words.join(` `))}`;case`list`:return`-f -a '(__inplace_convert_list ${e.words.join(` `)})'`;case`file`:return`-F`;case`folder`:return`-f -a '(__fish_complete_directories)'`;case`keys`:return`-f -a '(__inplace_convert_keys)'`;default:return}}function D(e,t){return`${O(e)}\\t${O(t)}`}function O(e){return`'${e.replace(/[\\']/g,`\\$&`)}'`}function k(e){return`#compdef inplace-convert
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
${e.map(({name:e,summary:t})=>`        ${h(`${e}:${P(t)}`)}\n`).join(``)}      )
      _describe -t commands command commands && ret=0
      ;;
    words)
      curcontext=\${curcontext%:*:*}:inplace-convert-$words[1]:
      case $words[1] in
${e.map(A).join(``)}      esac
      ;;
  esac
  return ret
}
if [[ $funcstack[1] == _inplace-convert ]]; then
  _inplace_convert "$@"
else
  compdef _inplace_convert inplace-convert
fi
`}function A(e){let{name:t,options:n,places:r,formatAt:i}=e,a=[...n.map(j),...r.map(({name:e,candidates:t,isRepeated:n})=>h(`${n?`*`:``}:${P(e)}:${M(t)}`))],o=m(e).map(N),s=`          if [[ $state == keys ]]; then
            case ${i===void 0?`""`:`"$line[${i+1}]"`} in
${o.join(``)}            esac
          fi
`;return`        ${t})
          state=
          _arguments -C -s -S \\
            ${a.join(` \\
            `)} && ret=0
${o.length>0?s:``}          ;;
`}function j({flags:e,summary:t,value:n,isRepeatable:r,isHidden:i}){let a=e.map(e=>e+(n===void 0?``:e.startsWith(`--`)?`=`:`+`)),o=`[${P(t)}]${n===void 0?``:`:${P(n.name)}:${M(n.candidates)}`}`,s=i?`!`:``;if(r)return a.map(e=>h(`${s}*${e}${o}`)).join(` `);let c=e.length>1?`(${e.join(` `)})`:``;return a.map(e=>h(`${s}${c}${e}${o}`)).join(` `)}function M(e){switch(e.kind){case`words`:return`(${e.words.join(` `)})`;case`list`:return` _values -s , word ${e.words.join(` `)}`;case`file`:return`_files`;case`folder`:return`_files -/`;case`keys`:return`->keys`;default:return` `}}function N([e,t]){let n=t.map(e=>{let t=p(e),n=t.length>0?`(${t.join(` `)})`:e.kind===`path`?`_files`:` `;return h(`${e.name}[${P(e.help)}]:${e.kind}:${n}`)});return`              ${e===``?`*`:e}) _values -s , option ${[...n,h(`help[list them]`)].join(` `)} && ret=0 ;;\n`}function P(e){return e.replace(/[\\[\]:]/g,`\\$&`)}const F={bash:g,zsh:k,fish:x};async function I(r,[o],s,c){let u=t(o,`a shell`,`completion ${a.join(`|`)}`),d=a.find(e=>e===u);if(d===void 0)throw new e(`Cannot write a completion script for ${u}: the shells are ${a.join(`, `)}`);let f=F[d](await l(s,c,r.library));return n(r,{shell:d,script:f},f),i.done}export{I as completionCommand};