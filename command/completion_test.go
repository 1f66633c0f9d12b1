package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// script writes a shell's completion script into a file.
func script(t *testing.T, shell string) string {
	t.Helper()
	var out, said strings.Builder
	if code := Main([]string{"framegram", "completion", shell}, strings.NewReader(""), &out, &said); code != 0 {
		t.Fatalf("exit code %d: %s", code, &said)
	}
	path := filepath.Join(t.TempDir(), "framegram."+shell)
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// bashWords are what bash offers for a command line whose last word is being typed.
func bashWords(t *testing.T, script, dir string, line ...string) []string {
	t.Helper()
	cmd := exec.Command(testutil.Need(t, "bash"), "--norc", "-c", fmt.Sprintf(`
		cd %q; source %q
		COMP_WORDS=("${@}"); COMP_CWORD=$(($# - 1))
		_framegram 2>&1; printf '%%s\n' "${COMPREPLY[@]}"`, dir, script), "bash")
	cmd.Args = append(cmd.Args, append([]string{"framegram"}, line...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.Fields(string(out))
}

func TestBashCompletes(t *testing.T) {
	path, dir := script(t, "bash"), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "clip.mp4"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line []string
		want []string // exactly, or with a "+" in front among others
	}{
		{[]string{""}, []string{"+send", "+view", "+relay", "+devices"}},
		{[]string{"de"}, []string{"demo", "devices"}},
		{[]string{"send", "--transp"}, []string{"--transport"}},
		{[]string{"send", "--transport", ""}, []string{"udp", "tcp"}},
		{[]string{"view", "--stats", "j"}, []string{"json"}},
		{[]string{"view", "--display", "w"}, []string{"window", "web"}},
		{[]string{"send", "--mtu", ""}, []string{"auto"}},
		{[]string{"send", "--source", "c"}, []string{"camera:0", "clip.mp4"}},
		{[]string{"view", "--iface", "l"}, []string{"+lo"}},
		{[]string{"bench", "comp"}, []string{"compare"}},
		{[]string{"bench", "compare", ""}, []string{"+clip.mp4"}},
		{[]string{"bench", "compare", "clip.mp4", "c"}, []string{"clip.mp4"}},
		{[]string{"bench", "compare", "--"}, []string{"--help"}}, // and none of bench
		{[]string{"bench", "--link", "w"}, []string{"wifi"}},
		{[]string{"bench", "--link", "wifi,lo"}, []string{"wifi,loss="}},
		{[]string{"bench", "--repair", ""}, []string{"none", "fec", "nack", "auto"}},
		{[]string{"bench", "--repair", "none,a"}, []string{"none,auto"}},
		{[]string{"bench", "--connect", "push,s"}, []string{"push,subscribe"}},
		{[]string{"bench", "matrix", "--connect", "g"}, []string{"group"}},
		{[]string{"bench", "matrix", "--mark"}, []string{"--markdown"}},
		{[]string{"bench", "--transport", "t"}, []string{"tcp"}},
		{[]string{"bench", "--html", "cl"}, []string{"clip.mp4"}},
		{[]string{"send", "--repair", ""}, []string{"auto", "fec", "nack", "none"}},
		{[]string{"view", "--on-loss", ""}, []string{"drop", "conceal"}},
		{[]string{"view", "--offload", ""}, []string{"auto", "off"}},
		{[]string{"view", "--format", ""}, []string{"mjpeg", "y4m", "bgr24"}},
		{[]string{"completion", ""}, []string{"+bash", "+zsh", "+fish"}},
		{[]string{"view", "--source", ""}, []string{"+--display"}}, // not a flag of view
		{[]string{"send", "--to", "$(touch evil)"}, nil},           // what is typed is never run
	} {
		got := bashWords(t, path, dir, c.line...)
		exact := len(c.want) == 0 || c.want[0][0] != '+'
		for _, w := range c.want {
			if !slices.Contains(got, strings.TrimPrefix(w, "+")) {
				t.Errorf("%q: got %q, want %q among them", c.line, got, w)
			}
		}
		if exact && len(got) != len(c.want) {
			t.Errorf("%q: got %q, want %q", c.line, got, c.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "evil")); err == nil {
		t.Error("completing ran what was typed")
	}
}

// The other shells are asked what they make of their script.
func TestZshAndFishComplete(t *testing.T) {
	// That zsh can read the script, and finds the function; what it completes is asked
	// below, for it does that on a terminal only.
	zsh := exec.Command(testutil.Need(t, "zsh"), "-f", "-c", `autoload -U compinit && compinit -u -d "$2" && source "$1" && print $_comps[framegram]`,
		"zsh", script(t, "zsh"), filepath.Join(t.TempDir(), "dump"))
	if out, err := zsh.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "_framegram" {
		t.Errorf("zsh: %v: %s", err, out)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "clip.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"framegram re":                   "relay",
		"framegram send --transport ":    "tcp",
		"framegram view --disp":          "--display",
		"framegram view --display imag":  "images:",
		"framegram completion ":          "fish",
		"framegram send --tcp-congesti":  "--tcp-congestion",
		"framegram send --source camera": "camera:0",
		"framegram bench comp":           "compare",
		"framegram bench --link busy":    "busy-wifi",
		"framegram bench --repair n":     "nack",
		"framegram view --on-loss ":      "conceal",
		"framegram view --offload ":      "off",
		"framegram bench compare clip":   "clip.json",
	} {
		cmd := exec.Command(testutil.Need(t, "fish"), "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script(t, "fish"), line)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("fish, %q: %v: %s, want %s", line, err, out, want)
		}
	}
}

// A zsh on a terminal of its own, which says what its line has become when asked by ^X.
const (
	zshStart = `PS1= PROMPT_EOL_MARK=
autoload -U compinit && compinit -u -d dump && source %q
show() { print -r -- "<<$BUFFER>>"; BUFFER= }
zle -N show; bindkey '^X' show
print rea''dy
`
	zshType = `zmodload zsh/zpty
zpty z zsh -d -i
zpty -r z said '*ready*'
for line; do
	zpty -w -n z "$line"$'\t\x18'
	zpty -r z said '*<<*>>*'
	said=${said##*<<}
	print -r -- "${said%%>>*}"
done
zpty -d z`
)

func TestZshCompletesLines(t *testing.T) {
	zsh, dir := testutil.Need(t, "zsh"), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "clip.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	lines := []struct{ typed, want string }{
		{"framegram bench comp", "framegram bench compare "},
		{"framegram bench compare cl", "framegram bench compare clip.json "},
		{"framegram bench --link busy", "framegram bench --link busy-wifi "},
		{"framegram bench --repair none,na", "framegram bench --repair none,nack"},
		{"framegram view --on-loss c", "framegram view --on-loss conceal "},
		{"framegram view --offload o", "framegram view --offload off "},
		{"framegram send --transport t", "framegram send --transport tcp "},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := os.WriteFile(filepath.Join(dir, ".zshrc"), fmt.Appendf(nil, zshStart, script(t, "zsh")), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, zsh, "-f", "-c", zshType, "zsh")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "ZDOTDIR="+dir, "TERM=dumb")
	for _, l := range lines {
		cmd.Args = append(cmd.Args, l.typed)
	}
	out, err := cmd.CombinedOutput()
	got := strings.Split(string(out), "\n")
	if err != nil || len(got) != len(lines)+1 {
		t.Fatalf("zsh: %v: %q", err, out)
	}
	for i, l := range lines {
		if strings.TrimRight(got[i], " ,") != strings.TrimRight(l.want, " ") {
			t.Errorf("%q: got %q, want %q", l.typed, got[i], l.want)
		}
	}
}

func TestManualIsFreeOfWarnings(t *testing.T) {
	var page, said strings.Builder
	if code := Main([]string{"framegram", "man"}, strings.NewReader(""), &page, &said); code != 0 {
		t.Fatal(&said)
	}
	groff := exec.Command(testutil.Need(t, "groff"), "-man", "-Tutf8", "-ww", "-P-cbou")
	groff.Stdin = strings.NewReader(page.String())
	var text, warnings strings.Builder
	groff.Stdout, groff.Stderr = &text, &warnings
	if err := groff.Run(); err != nil || warnings.Len() > 0 {
		t.Fatalf("groff: %v: %s", err, &warnings)
	}
	for _, c := range newApp(nil, io.Discard, io.Discard).Commands {
		for _, f := range c.Flags {
			if d, ok := docOf(f); ok && !strings.Contains(text.String(), d.dashed()[0]) {
				t.Errorf("the manual does not name %s of %s", d.dashed()[0], c.Name)
			}
		}
	}
	for _, want := range []string{"EXIT STATUS", "framegram relay", "[udp://|tcp://]HOST[:PORT]"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the manual lacks %q", want)
		}
	}
}
