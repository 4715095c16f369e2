/**
 * `completion`: scripts that ask `chela complete` for the words that may follow. What was typed travels as arguments and
 * what comes back is data: neither is ever evaluated by the shell. No completion package is needed.
 */
import { GatewayError } from "@chela/sdk";
import { didYouMean } from "../nearest.ts";
import type { Handler } from "./cli.ts";

const bash = `# chela completion for bash: eval "$(chela completion bash)"
__chela_complete() {
  COMPREPLY=()
  local word rest tab=$'\\t'
  while IFS="$tab" read -r word rest; do
    if [[ $word == : ]]; then
      compopt -o default 2>/dev/null
    elif [[ -n $word ]]; then
      COMPREPLY+=("$word")
    fi
  done < <(command chela complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F __chela_complete chela
`;

const zsh = `#compdef chela
# chela completion for zsh: chela completion zsh > a folder of $fpath/_chela
_chela() {
  local -a names shown
  local word about files=0
  while IFS=$'\\t' read -r word about; do
    if [[ $word == : ]]; then
      files=1
    elif [[ -n $word ]]; then
      names+=("$word")
      shown+=("$word\${about:+  -- $about}")
    fi
  done < <(command chela complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#names )) && compadd -l -d shown -a names
  (( files )) && _files
}
if [[ \${funcstack[1]} == _chela ]]; then
  _chela "$@"
else
  (( $+functions[compdef] )) && compdef _chela chela
fi
`;

const fish = `# chela completion for fish: chela completion fish > ~/.config/fish/completions/chela.fish
function __chela_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in (command chela complete -- $before[2..-1] $current 2>/dev/null)
        if string match -q -r '^:' -- $line
            __fish_complete_path $current
        else
            printf '%s\\n' $line
        end
    end
end
complete -c chela -e
complete -c chela -f -a '(__chela_complete)'
`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };

export const completion: Handler = async (cli, [shell = ""]) => {
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (!script) {
    const hint = didYouMean(shell, Object.keys(scripts));
    throw new GatewayError(
      "USAGE",
      400,
      `There is no completion for ${JSON.stringify(shell)}: give bash, zsh or fish.${hint}`,
    );
  }
  if (cli.out.json) cli.out.data({ shell, script });
  else cli.io.stdout.write(script);
};
