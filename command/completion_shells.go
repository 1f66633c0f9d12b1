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
`)
	for _, c := range commands {
		for _, sub := range c.subs {
			fmt.Fprintf(w, "\tif [[ \"$command $words[2]\" == %[1]s ]] && (( CURRENT > 2 )); then\n\t\tcommand=%[1]s\n\t\tshift words\n\t\t(( CURRENT-- ))\n\tfi\n", quoted(sub.name))
		}
	}
	fmt.Fprintln(w, "\tcase $command in")
	for _, c := range flat(commands) {
		fmt.Fprintf(w, "\t%s) _arguments -s -S", quoted(c.name))
		for _, f := range c.flags {
			for _, n := range f.dashed() {
				fmt.Fprintf(w, " \\\n\t\t%s", quoted(f.zsh(n)))
			}
		}
		if c.words != nil {
			fmt.Fprintf(w, " \\\n\t\t%s", quoted("1:"+c.name+":("+strings.Join(c.words, " ")+")"))
		}
		if c.files {
			fmt.Fprint(w, " \\\n\t\t'*:file:_files'")
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
	case f.list():
		return spec + "_values -s , " + f.takes + " " + plain(strings.Join(f.values(), " "))
	case f.values() != nil:
		return spec + "(" + plain(strings.Join(f.values(), " ")) + ")"
	}
	return spec
}

func fishScript(w io.Writer, commands []completed) {
	fmt.Fprintln(w, "# fish completion of framegram, printed by: framegram completion fish\ncomplete -c framegram -f")
	for _, c := range commands {
		fmt.Fprintf(w, "complete -c framegram -n __fish_use_subcommand -a %s -d %s\n", c.name, quoted(c.usage))
		seen := "__fish_seen_subcommand_from " + c.name
		for _, sub := range c.subs {
			_, name, _ := strings.Cut(sub.name, " ")
			within := "complete -c framegram -n " + quoted(seen+"; and __fish_seen_subcommand_from "+name)
			if sub.files {
				fmt.Fprintln(w, within, "-F")
			}
			fmt.Fprintln(w, within, "-l help -s h -d 'show help'")
			seen += "; and not __fish_seen_subcommand_from " + name
		}
		when := "complete -c framegram -n " + quoted(seen)
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
