package command

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

func completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print the completion script of a shell",
		UsageText: "framegram completion bash|zsh|fish\n\n" +
			"bash: framegram completion bash > ~/.local/share/bash-completion/completions/framegram\n" +
			"zsh:  framegram completion zsh > \"${fpath[1]}/_framegram\"\n" +
			"fish: framegram completion fish > ~/.config/fish/completions/framegram.fish\n\n`make install` does this for all users.",
		ArgsUsage: "bash|zsh|fish",
		Action: wordAction(func(c *cli.Context, shell string) error {
			write, ok := map[string]func(io.Writer, []completed){"bash": bashScript, "zsh": zshScript, "fish": fishScript}[shell]
			if !ok {
				return usage("completion is for %q, want bash, zsh or fish", shell)
			}
			var script strings.Builder
			write(&script, completions(c.App))
			_, err := io.WriteString(c.App.Writer, script.String())
			return err
		}),
	}
}

// completed is a command as a shell completes it.
type completed struct {
	name, usage string // of a sub-command the name is "bench compare"
	flags       []flagDoc
	words       []string // its argument
	files       bool     // which are files
	subs        []completed
}

// completions reads what there is to complete from the commands themselves.
func completions(app *cli.App) (all []completed) {
	for _, c := range app.VisibleCommands() {
		all = append(all, completionOf(c, ""))
	}
	return all
}

// completionOf is that of a command, with its sub-commands.
func completionOf(c *cli.Command, of string) completed {
	done := completed{name: of + c.Name, usage: c.Usage, files: strings.Contains(c.ArgsUsage, ".json")}
	if !done.files {
		if strings.Contains(c.ArgsUsage, "|") {
			done.words = strings.Split(c.ArgsUsage, "|")
		}
	}
	for _, f := range c.Flags {
		if d, ok := docOf(f); ok {
			done.flags = append(done.flags, d)
		}
	}
	done.flags = append(done.flags, flagDoc{names: []string{"help", "h"}, usage: "show help"})
	for _, sub := range c.Subcommands {
		if sub.Name != "help" && !sub.Hidden {
			done.words = append(done.words, sub.Name)
			done.subs = append(done.subs, completionOf(sub, done.name+" "))
		}
	}
	return done
}

// flat are the commands and their sub-commands.
func flat(commands []completed) (all []completed) {
	for _, c := range commands {
		all = append(append(all, c), flat(c.subs)...)
	}
	return all
}

// wordAction is action for a command with one word as its argument.
func wordAction(do func(*cli.Context, string) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.Args().Len() != 1 {
			return usage("%s wants one word, %s: see `framegram %s --help`", c.Command.Name, c.Command.ArgsUsage, c.Command.Name)
		}
		return sorted(do(c, c.Args().First()))
	}
}

func bashScript(w io.Writer, commands []completed) {
	var names []string
	for _, c := range commands {
		names = append(names, c.name)
	}
	fmt.Fprintf(w, `# bash completion of framegram, printed by: framegram completion bash
_framegram() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words= files= list= before=
	COMPREPLY=()
	# A colon parts words for readline, too: values with one are completed up to it.
	if [[ $COMP_CWORD == 1 ]]; then
		COMPREPLY=($(compgen -W '%s' -- "$cur"))
		return
	fi
`, strings.Join(names, " "))
	for _, c := range commands {
		for _, sub := range c.subs {
			fmt.Fprintf(w, "\t[[ $COMP_CWORD -gt 2 && \"$command ${COMP_WORDS[2]}\" == %[1]s ]] && command=%[1]s\n", quoted(sub.name))
		}
	}
	fmt.Fprintln(w, "\tcase $command:$prev in")
	for _, c := range flat(commands) {
		for _, f := range c.flags {
			if f.takes == "" {
				continue
			}
			var patterns []string
			for _, n := range f.dashed() {
				patterns = append(patterns, quoted(c.name+":"+n))
			}
			fmt.Fprintf(w, "\t%s) words='%s'", strings.Join(patterns, "|"), strings.Join(f.values(), " "))
			if f.file() {
				fmt.Fprint(w, " files=1")
			}
			if f.list() {
				fmt.Fprint(w, " list=1")
			}
			if f.names[0] == "iface" {
				fmt.Fprint(w, ` words=$(command ls /sys/class/net 2>/dev/null)`)
			}
			fmt.Fprintln(w, " ;;")
		}
	}
	fmt.Fprintln(w, "\t*) case $command in")
	for _, c := range flat(commands) {
		words := slices.Clone(c.words)
		for _, f := range c.flags {
			words = append(words, f.dashed()...)
		}
		files := ""
		if c.files {
			files = " files=1"
		}
		fmt.Fprintf(w, "\t\t%s) words='%s'%s ;;\n", quoted(c.name), strings.Join(words, " "), files)
	}
	fmt.Fprint(w, `		esac ;;
	esac
	if [[ $list && $cur == *,* ]]; then
		before=${cur%,*},
	fi
	COMPREPLY=($(compgen -P "$before" -W "$words" -- "${cur#"$before"}"))
	if [[ $files ]]; then
		compopt -o filenames 2>/dev/null
		COMPREPLY+=($(compgen -f -- "$cur"))
	fi
	if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[:/=] ]]; then
		compopt -o nospace 2>/dev/null
	fi
}
complete -F _framegram framegram
`)
}
