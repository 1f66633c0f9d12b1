package command

import (
	"fmt"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/urfave/cli/v2"
)

func manCommand() *cli.Command {
	return &cli.Command{
		Name: "man", Usage: "print the manual page",
		UsageText: "framegram man | man -l -\n\n`make install` installs it.",
		Action: action(func(c *cli.Context) error {
			_, err := c.App.Writer.Write(md2man.Render([]byte(manual(c.App))))
			return err
		}),
	}
}

// manual is the manual page in the Markdown that md2man reads, made from the commands.
// md2man (MIT) is what the command-line library itself uses for this.
func manual(app *cli.App) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%% FRAMEGRAM 1 \"\" \"framegram %s\" \"User Commands\"\n", Version())
	fmt.Fprintf(&b, "# NAME\n\nframegram - %s\n\n# SYNOPSIS\n\n", app.Usage)
	for _, c := range app.VisibleCommands() {
		for _, line := range synopsis(c) {
			fmt.Fprintf(&b, "**framegram** %s\n\n", literal(strings.TrimPrefix(line, "framegram ")))
		}
	}
	fmt.Fprint(&b, `# DESCRIPTION

framegram shows a picture on another screen with no perceptible delay. Every frame is a JPEG. Over UDP it is cut into numbered datagrams
smaller than the MTU; the viewer puts frames together, drops what cannot be completed in time and shows the newest. Over TCP the same
frames are sent whole, and a slow viewer skips to the newest one.

An address is [udp://|tcp://]HOST[:PORT], the default port 5600. An IPv6 address with a port stands in brackets. A multicast group is an
address like any other; its interfaces are chosen with --iface.

# COMMANDS

`)
	for _, c := range app.VisibleCommands() {
		fmt.Fprintf(&b, "## %s\n\n%s.\n\n", c.Name, sentence(c.Usage))
		for _, f := range c.Flags {
			manualFlag(&b, f)
		}
		for _, sub := range c.Subcommands {
			if len(sub.Flags) == 0 {
				continue
			}
			fmt.Fprintf(&b, "## %s %s\n\n%s.\n\n", c.Name, sub.Name, sentence(sub.Usage))
			for _, f := range sub.Flags {
				manualFlag(&b, f)
			}
		}
	}
	fmt.Fprint(&b, `# KEYS

The window knows **q** or **Esc** (quit), **s** (snapshot), **f** (full screen), **space** (freeze), **i** (figures) and **h** (help).

# ENVIRONMENT

Every flag of send, view, relay and demo is also read from the environment: --web is FRAMEGRAM_WEB. Of a flag that can be repeated the values
stand there with spaces between them. An empty variable is none. The command line goes first.

# EXIT STATUS

0 when what was asked for was done or its user ended it, 1 when it failed, 2 when the command line was wrong.

# EXAMPLES

A picture on another screen:

    screen$ framegram view
    camera$ framegram send --to screen --source camera:0

One camera on many screens, by multicast:

    framegram view --listen 239.1.2.3
    framegram send --to 239.1.2.3 --source camera:0

Viewers who ask, and come and go as they like:

    framegram send --listen :5600 --source camera:0
    framegram view --from camera

Record what is shown, and show it again:

    framegram view --record door.mkv
    framegram send --to screen --source door.mkv
`)
	return b.String()
}

// manualFlag writes one flag as a definition: a term, then a colon and its text.
func manualFlag(b *strings.Builder, f cli.Flag) {
	d, ok := docOf(f)
	if !ok {
		return
	}
	fmt.Fprintf(b, "**%s**", strings.Join(d.dashed(), "**, **"))
	if d.takes != "" {
		fmt.Fprintf(b, " *%s*", literal(d.takes))
	}
	fmt.Fprintf(b, "\n: %s", literal(sentence(d.meaning())))
	if d.standard != "" {
		fmt.Fprintf(b, " (default: %s)", literal(d.standard))
	}
	fmt.Fprint(b, ".\n\n")
}

// synopsis are the command's lines up to its first blank one.
func synopsis(c *cli.Command) []string {
	head, _, _ := strings.Cut(c.UsageText, "\n\n")
	return strings.Split(head, "\n")
}

// literal keeps Markdown from reading s.
func literal(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, "|", `\|`, "`", "\\`").Replace(s)
}

// sentence begins with a capital letter, if it begins with a word.
func sentence(s string) string {
	word, _, _ := strings.Cut(s, " ")
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyz,-'") != "" || word == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
