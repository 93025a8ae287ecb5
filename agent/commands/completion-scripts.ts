// What a shell has to be told once so that it asks `stevedore __complete` for words. It gets a line
// for each, `WORD<tab>TEXT`; file names are the shell's own to complete where there is none.

export const SHELLS = ['bash', 'zsh', 'fish', 'kubectl'] as const;
export type Shell = (typeof SHELLS)[number];

export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = Object.freeze({
  bash: `\
# . <(stevedore completion bash)
_stevedore() {
  local IFS=$'\\n'
  local typed=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete "\${typed[@]}" 2>/dev/null | cut -f1))
}
complete -o default -F _stevedore stevedore
`,
  zsh: `\
#compdef stevedore
# stevedore completion zsh > "\${fpath[1]}/_stevedore"
_stevedore() {
  local -a found
  local line
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe stevedore found; else _files; fi
}
if [ "$funcstack[1]" = _stevedore ]; then _stevedore "$@"; else compdef _stevedore stevedore; fi
`,
  fish: `\
# stevedore completion fish > ~/.config/fish/completions/stevedore.fish
complete -c stevedore -a \\
  '(set -l w (commandline -opc); $w[1] __complete $w[2..-1] (commandline -ct) 2>/dev/null)'
`,
  // kubectl asks a program of this name (kubectl pkg/cmd/plugin/plugin_completion.go), which
  // answers as those made with cobra do: words, then `:4` for "no file names".
  kubectl: `\
#!/bin/sh
# stevedore completion kubectl > /usr/local/bin/kubectl_complete-stevedore; chmod +x it
kubectl-stevedore __complete "$@" 2>/dev/null
echo :4
`,
});
