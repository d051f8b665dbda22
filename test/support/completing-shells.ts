/** Completion as the shells themselves do it: a script is loaded into a real one, lines are typed, and its answers are read. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { find } from "../../scripts/tools.ts";
import type { Shell } from "../../src/cli/completion-table.ts";

/**
 * What the shell offers at the end of each line, in its order, with `folder` as the working directory.
 *
 * Bash answers nothing where it completes files itself; zsh's keys of `-o` come without their `=`.
 */
export function completions(shell: Shell, script: string, lines: readonly string[], folder: string): string[][] {
  const program = find(shell);
  if (program === undefined) throw new Error(`Cannot test completion in ${shell}: install ${shell}`);
  const room = mkdtempSync(join(tmpdir(), "inplace-convert-completion-"));
  try {
    const [file, driver] = [join(room, "script"), join(room, "driver")];
    writeFileSync(file, script);
    writeFileSync(driver, drivers[shell](lines));
    const words = { bash: ["--noprofile", "--norc"], zsh: ["-f"], fish: ["--no-config"] }[shell];
    // No configuration of the user's, and no colours.
    const env = { PATH: process.env.PATH, HOME: room, TERM: "dumb", LC_ALL: "C.UTF-8", ROOM: room };
    const output = execFileSync(program, [...words, driver, file], {
      cwd: folder,
      env,
      encoding: "utf8",
      timeout: 60_000,
    });
    const answers = output.split("END\n").slice(0, -1);
    return answers.map((answer) => answer.split("\n").filter((line) => line !== ""));
  } finally {
    rmSync(room, { recursive: true });
  }
}

const drivers: Readonly<Record<Shell, (lines: readonly string[]) => string>> = {
  bash(lines) {
    const calls = lines.map((line) => {
      const words = ["inplace-convert", ...partedAsBashDoes(line)];
      return `COMP_LINE=${quoted(`inplace-convert ${line}`)}; COMP_WORDS=(${words.map(quoted).join(" ")}); COMP_CWORD=${words.length - 1}
_inplace_convert; printf '%s\\n' "\${COMPREPLY[@]}" END\n`;
    });
    return `source "$1"\n${calls.join("")}`;
  },

  fish(lines) {
    // After a tab stands what is said of the word.
    const calls = lines.map(
      (line) => `complete -C ${quoted(`inplace-convert ${line}`)} | string replace -r '\\t.*' ''; echo END\n`,
    );
    return `source $argv[1]\n${calls.join("")}`;
  },

  // Only a shell at a terminal completes: one is given a terminal of its own, and tells each answer through a pipe.
  zsh: (lines) => `zmodload zsh/zpty
export SCRIPT=$1 PIPE=$ROOM/pipe
mkfifo $PIPE
# Held open for both ways, or it would end between two answers.
exec 3<>$PIPE
zpty inner zsh -f -i
zpty -w inner 'stty -echo; PS1=; unsetopt auto_list auto_menu
autoload -Uz compinit && compinit -D -u
source $SCRIPT
typeset -gaU offered=()
compadd() {
  if [[ " $*" != *" -"[OAD]" "* ]]; then
    local -a found
    builtin compadd -A found "$@"
    offered+=($found)
  fi
  builtin compadd "$@"
}
tell() { print -rl -- $offered END >$PIPE; offered=(); comppostfuncs=(tell); }
comppostfuncs=(tell)
bindkey "^I" complete-word
bindkey "^U" kill-whole-line
print END >$PIPE'
wait_for_answer() { local line; while read -r line; do print -r -- $line; [[ $line == END ]] && break; done <&3; }
wait_for_answer >/dev/null
for line in ${lines.map(quoted).join(" ")}; do
  zpty -w -n inner "inplace-convert $line"$'\\t'
  wait_for_answer
  zpty -w -n inner $'\\x15'
done
zpty -d inner
`,
};

/** Readline parts words at spaces, and takes `=` and `:` for words by themselves. */
function partedAsBashDoes(line: string): string[] {
  return line.split(" ").flatMap((word) => (word === "" ? [""] : word.split(/([=:]+)/).filter((part) => part !== "")));
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
