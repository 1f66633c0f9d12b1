package command

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
	// zsh prints its menu on a terminal only; that it can read the script, and finds the
	// function, is what can be asked of it without one.
	zsh := exec.Command(testutil.Need(t, "zsh"), "-f", "-c", `autoload -U compinit && compinit -u -d "$2" && source "$1" && print $_comps[framegram]`,
		"zsh", script(t, "zsh"), filepath.Join(t.TempDir(), "dump"))
	if out, err := zsh.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "_framegram" {
		t.Errorf("zsh: %v: %s", err, out)
	}
	for line, want := range map[string]string{
		"framegram re":                   "relay",
		"framegram send --transport ":    "tcp",
		"framegram view --disp":          "--display",
		"framegram view --display imag":  "images:",
		"framegram completion ":          "fish",
		"framegram send --tcp-congesti":  "--tcp-congestion",
		"framegram send --source camera": "camera:0",
	} {
		cmd := exec.Command(testutil.Need(t, "fish"), "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script(t, "fish"), line)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("fish, %q: %v: %s, want %s", line, err, out, want)
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
