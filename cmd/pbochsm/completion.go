package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
)

// The scripts ask the program itself for what may come next, so that they
// never fall behind it.
const bashCompletion = `_pbochsm() {
  local word=${COMP_WORDS[COMP_CWORD]} line=("${COMP_WORDS[@]:0:COMP_CWORD}")
  [[ $word == -* ]] && line+=("$word")
  mapfile -t COMPREPLY < <(compgen -W "$("${line[@]}" --generate-bash-completion 2>/dev/null)" -- "$word")
}
complete -o default -F _pbochsm pbochsm
`

const zshCompletion = `#compdef pbochsm
_pbochsm() {
  local -a line found
  line=(${words[1,CURRENT-1]})
  [[ $words[CURRENT] == -* ]] && line+=($words[CURRENT])
  found=(${(f)"$($line --generate-bash-completion 2>/dev/null)"})
  if (( $#found )); then _describe pbochsm found; else _files; fi
}
compdef _pbochsm pbochsm
`

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a completion script for a shell",
		ArgsUsage: "bash|zsh|fish",
		Description: "For bash: source <(pbochsm completion bash)\n" +
			"For zsh:  pbochsm completion zsh > DIR/_pbochsm, with DIR in fpath\n" +
			"For fish: pbochsm completion fish > ~/.config/fish/completions/pbochsm.fish",
		Action: func(c *cli.Context) error {
			script, err := completionScript(c)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(c.App.Writer, script)
			return err
		},
	}
}

func completionScript(c *cli.Context) (string, error) {
	if c.Args().Len() != 1 {
		return "", cmdline.Usagef("want one shell: bash, zsh or fish")
	}
	switch shell := c.Args().First(); shell {
	case "bash":
		return bashCompletion, nil
	case "zsh":
		return zshCompletion, nil
	case "fish":
		return c.App.ToFishCompletion()
	default:
		return "", cmdline.Usagef("no completion for %q: want bash, zsh or fish", shell)
	}
}
