package command

import (
	"fmt"
	"io"
	"strings"
)

func zshScript(w io.Writer, commands []completed) {
	fmt.Fprint(w, `#compdef framegram
# zsh completion of framegram, printed by: framegram completion zsh
_framegram() {
	local -a commands=(
`)
	for _, c := range commands {
		fmt.Fprintf(w, "\t\t%s\n", quoted(c.name+":"+c.usage))
	}
	fmt.Fprint(w, `	)
	if (( CURRENT == 2 )); then
		_describe command commands
		return
	fi
	local command=$words[2]
	shift words
	(( CURRENT-- ))
	case $command in
`)
	for _, c := range commands {
		fmt.Fprintf(w, "\t%s) _arguments -s -S", c.name)
		for _, f := range c.flags {
			for _, n := range f.dashed() {
				fmt.Fprintf(w, " \\\n\t\t%s", quoted(f.zsh(n)))
			}
		}
		if c.words != nil {
			fmt.Fprintf(w, " \\\n\t\t%s", quoted("1:"+c.name+":("+strings.Join(c.words, " ")+")"))
		}
		fmt.Fprintln(w, " ;;")
	}
	fmt.Fprint(w, `	esac
}
if [[ $funcstack[1] == _framegram ]]; then
	_framegram "$@"
else
	compdef _framegram framegram
fi
`)
}

// zsh is the _arguments specification of one of the flag's names.
func (f flagDoc) zsh(name string) string {
	plain := strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace
	spec := "*" + name + "[" + plain(f.brief()) + "]"
	if f.takes == "" {
		return spec
	}
	spec += ":" + plain(f.takes) + ":"
	switch {
	case f.names[0] == "iface":
		return spec + "_net_interfaces"
	case f.file():
		return spec + "_files"
	case f.values() != nil:
		return spec + "(" + plain(strings.Join(f.values(), " ")) + ")"
	}
	return spec
}

func fishScript(w io.Writer, commands []completed) {
	fmt.Fprintln(w, "# fish completion of framegram, printed by: framegram completion fish\ncomplete -c framegram -f")
	for _, c := range commands {
		fmt.Fprintf(w, "complete -c framegram -n __fish_use_subcommand -a %s -d %s\n", c.name, quoted(c.usage))
		when := "complete -c framegram -n " + quoted("__fish_seen_subcommand_from "+c.name)
		if c.words != nil {
			fmt.Fprintf(w, "%s -a %s\n", when, quoted(strings.Join(c.words, " ")))
		}
		for _, f := range c.flags {
			fmt.Fprint(w, when)
			for _, n := range f.names {
				if len(n) == 1 {
					fmt.Fprint(w, " -s ", n)
				} else {
					fmt.Fprint(w, " -l ", n)
				}
			}
			switch {
			case f.file():
				fmt.Fprintf(w, " -r -F -a %s", quoted(strings.Join(f.values(), " ")))
			case f.names[0] == "iface":
				fmt.Fprint(w, " -x -a '(__fish_print_interfaces)'")
			case f.takes != "":
				fmt.Fprintf(w, " -x -a %s", quoted(strings.Join(f.values(), " ")))
			}
			fmt.Fprintf(w, " -d %s\n", quoted(f.brief()))
		}
	}
}

// quoted is s for a shell, in single quotes. (fish reads \' within them, and \\; no
// text of ours has a backslash but those that zsh wants.)
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
