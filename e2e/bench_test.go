//go:build linux

package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// benchReport is the part of a report that the tests look at.
type benchReport struct {
	Runs []struct {
		Transport  string         `json:"transport"`
		Congestion string         `json:"congestion"`
		Repair     string         `json:"repair"`
		Connect    string         `json:"connect"`
		Repairs    map[string]int `json:"repairs"`
		Err        string         `json:"error"`
		Sweep      struct {
			Value string `json:"value"`
		} `json:"sweep"`
		Stats struct {
			Due          int      `json:"due"`
			Shown        int      `json:"shown"`
			Arrived      *int     `json:"arrived"`
			SenderFaults *float64 `json:"sender_faults_per_frame"`
			ViewerFaults *float64 `json:"viewer_faults_per_frame"`
			Squeeze      *struct {
				Before, During, After struct {
					Due     int                    `json:"due"`
					Latency *struct{ P50 float64 } `json:"latency_ms"`
				}
			} `json:"squeeze"`
			Stages struct {
				Mean struct {
					Encode, Send, Network, Decode float64
				} `json:"mean_ms"`
			} `json:"stages"`
		} `json:"stats"`
	} `json:"runs"`
}

func readReport(t *testing.T, path string) (r benchReport) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The bench finds the fault that it is there for, in the stage in which it is. What arrives
// whole at a viewer that cannot follow is told apart from what is lost.
func TestBenchFindsFaults(t *testing.T) {
	mean := map[string]struct{ Send, Decode float64 }{}
	for name, fault := range map[string][]string{"none": nil, "decoder": {"--fault-slow-decoder", "100ms", "--transport", "udp,tcp"}, "queue": {"--fault-queue", "3"}} {
		path := filepath.Join(t.TempDir(), "report.json")
		code, _, said := command(t, framegram, append([]string{"bench", "--transport", "udp", "--warmup", "500ms", "--duration", "2s", "--json", path}, fault...)...)
		if code > 1 || code == 1 && name == "none" { // with a fault every frame may be late
			t.Fatalf("%s: exit %d: %s", name, code, said)
		}
		runs := readReport(t, path).Runs
		for _, run := range runs {
			s := run.Stats
			t.Logf("%s over %s: %d frames due, %d arrived, %d shown, %v and %v faults a frame", name, run.Transport, s.Due, *s.Arrived, s.Shown, *s.SenderFaults, *s.ViewerFaults)
			if *s.Arrived < s.Shown || name == "decoder" && *s.Arrived == s.Shown { // of 30 frames a second no more than 10 are decoded
				t.Errorf("%s over %s: of %d frames due %d arrived and %d were shown", name, run.Transport, s.Due, *s.Arrived, s.Shown)
			}
		}
		m := runs[0].Stats.Stages.Mean
		t.Logf("%s: %+v", name, m)
		mean[name] = struct{ Send, Decode float64 }{m.Send, m.Decode}
	}
	if d := mean["decoder"].Decode - mean["none"].Decode; d < 20 {
		t.Errorf("a decoder that takes 100 ms longer shows %.1f ms", d)
	}
	if d := mean["queue"].Send - mean["none"].Send; d < 80 {
		t.Errorf("a queue of 3 frames at 30 fps shows %.1f ms", d)
	}
	if d := mean["queue"].Decode - mean["none"].Decode; d > 20 {
		t.Errorf("a queue in the sender shows in the decoder, %.1f ms", d)
	}
}

// A recorded set, of which both transports carry the same bytes, needs no strip.
func TestBenchOfRecordedFrames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ffmpeg(t, "-i", clipPath(t), "-frames:v", "20", "-q:v", "3", filepath.Join(dir, "%03d.jpg"))
	path := filepath.Join(t.TempDir(), "report.json")
	code, out, said := command(t, framegram, "bench", "--source", "images:"+dir, "--duration", "1s", "--json", path)
	if code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, said, out)
	}
	for _, run := range readReport(t, path).Runs {
		if run.Stats.Due != 30 || run.Stats.Shown < 20 {
			t.Errorf("%s: %d shown of %d", run.Transport, run.Stats.Shown, run.Stats.Due)
		}
	}
}

// A sweep over an emulated link, in every form of report, and two of them compared.
func TestBenchSweep(t *testing.T) {
	testutil.NeedRoot(t)
	dir := t.TempDir()
	name := func(s string) string { return filepath.Join(dir, s) }
	code, out, said := command(t, framegram, "bench", "--link", "rate=100mbit,delay=5ms,seed=3", "--sweep", "loss=0,3%", "--warmup", "500ms", "--duration", "2s",
		"--repair", "none,fec", "--parity", "20%", "--slices", "2", "--json", name("a.json"), "--csv", name("a.csv"), "--html", name("a.html"), "--markdown", name("a.md"))
	if code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, said, out)
	}
	r := readReport(t, name("a.json"))
	if len(r.Runs) != 6 {
		t.Fatalf("%d runs, want 6", len(r.Runs))
	}
	shown := map[string]float64{}
	for _, run := range r.Runs {
		shown[run.Transport+run.Repair+run.Sweep.Value] = float64(run.Stats.Shown) / float64(run.Stats.Due)
		if run.Transport == "tcp" && run.Congestion == "" {
			t.Error("a figure of tcp does not name its congestion control")
		}
	}
	t.Logf("shown: %v", shown)
	// 65 datagrams a frame, of which none may be lost: 14 % arrive whole at 3 %.
	if shown["udpnone0%"] < 0.9 || shown["udpnone3%"] > 0.5 || shown["udpfec3%"] < shown["udpnone3%"]+0.2 {
		t.Errorf("udp has shown %v", shown)
	}
	for _, run := range r.Runs {
		if n := run.Repairs["rebuilt"]; (n > 0) != (run.Repair == "fec" && run.Sweep.Value == "3%") {
			t.Errorf("%s %s at %s: %d frames rebuilt", run.Transport, run.Repair, run.Sweep.Value, n)
		}
	}
	for _, want := range []string{"udp none", "udp fec", "tcp ", "in time", "loss", "rebuilt", "wire"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
	for _, line := range strings.Split(out, "\n") {
		if n := len([]rune(line)); n > 100 {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
	page, err := os.ReadFile(name("a.html"))
	if err != nil || bytes.Count(page, []byte("<svg")) < 4 || bytes.Contains(page, []byte("src=\"http")) {
		t.Errorf("the page has %d plots, %v", bytes.Count(page, []byte("<svg")), err)
	}
	lines, err := os.Open(name("a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	if rows, err := csv.NewReader(lines).ReadAll(); err != nil || len(rows) != 7 {
		t.Errorf("the CSV has %d rows, %v", len(rows), err)
	}
	if tables, err := os.ReadFile(name("a.md")); err != nil || !bytes.Contains(tables, []byte("| 3% | udp fec |")) {
		t.Errorf("the Markdown is %v\n%s", err, tables)
	}
	if code, out, said := command(t, framegram, "bench", "compare", name("a.json"), name("a.json")); code != 0 || !strings.Contains(out, "udp") {
		t.Errorf("compare: exit %d: %s %s", code, out, said)
	}
}

// A viewer over udp is sent the stream, asks for it, or joins a group: each way is measured, and
// named wherever there are figures.
func TestBenchConnects(t *testing.T) {
	testutil.NeedRoot(t)
	t.Parallel()
	path := filepath.Join(t.TempDir(), "report.json")
	code, out, said := command(t, framegram, "bench", "--connect", "push,subscribe,group", "--link", "lan",
		"--warmup", "500ms", "--duration", "1s", "--json", path)
	if code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, said, out)
	}
	var ways []string
	for _, run := range readReport(t, path).Runs {
		ways = append(ways, run.Transport+run.Connect)
		if run.Err != "" || run.Stats.Due != 30 || run.Stats.Shown == 0 {
			t.Errorf("%s %s: %d shown of %d due, %s", run.Transport, run.Connect, run.Stats.Shown, run.Stats.Due, run.Err)
		}
	}
	if got := strings.Join(ways, " "); got != "udp udpsubscribe udpgroup tcp" {
		t.Errorf("run were %s", got)
	}
	for _, want := range []string{"udp auto ", "udp auto subscribe", "udp auto group"} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
	code, out, said = command(t, framegram, "bench", "compare", path, path)
	if code != 0 || !strings.Contains(out, "udp auto subscribe at lan") {
		t.Errorf("compare: exit %d: %s %s", code, out, said)
	}
}

// oneCell is the smallest matrix: one cell, which any machine carries.
var oneCell = []string{
	"bench", "matrix", "--rate", "50", "--picture", "320x240@10", "--queue", "64kB", "--loss", "0", "--duration", "1s",
}

// The matrix runs every way in its cell, and tells of each on the terminal and in its files.
func TestBenchMatrix(t *testing.T) {
	testutil.NeedRoot(t)
	t.Parallel()
	dir := t.TempDir()
	name := func(s string) string { return filepath.Join(dir, s) }
	code, out, said := command(t, framegram, append(slices.Clone(oneCell), "--json", name("m.json"), "--markdown", name("m.md"))...)
	if code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, said, out)
	}
	var report struct {
		Runs []struct {
			Transport, Connect string
			Due, Shown         int
			First              *float64 `json:"first_picture_ms"`
			Freeze             float64  `json:"freeze_ms"`
		}
	}
	b, err := os.ReadFile(name("m.json"))
	if err == nil {
		err = json.Unmarshal(b, &report)
	}
	if err != nil || len(report.Runs) != 4 {
		t.Fatalf("%v: %d runs, want 4", err, len(report.Runs))
	}
	for i, want := range []string{"udp", "udpsubscribe", "udpgroup", "tcp"} {
		r := report.Runs[i]
		if r.Transport+r.Connect != want || r.Due != 10 || r.Shown == 0 || r.First == nil {
			t.Errorf("run %d is %+v, want %s", i, r, want)
		}
	}
	if n := strings.Count(said, "run "); n != 4 {
		t.Errorf("it tells of %d runs:\n%s", n, said)
	}
	for _, want := range []string{"320x240@10", "50mbit", "4 runs of 1s in 1 cell: 0 failed"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
	tables, err := os.ReadFile(name("m.md"))
	if err != nil || !strings.Contains(string(tables), "| 50mbit | 64kB | 0% |") {
		t.Errorf("the Markdown is %v\n%s", err, tables)
	}
}

// A squeeze of the link meets both transports in the measured time that was asked for: what does
// not fit waits in the queue, and comes through again when it is over.
func TestBenchSqueeze(t *testing.T) {
	testutil.NeedRoot(t)
	path := filepath.Join(t.TempDir(), "report.json")
	code, out, said := command(t, framegram, "bench", "--link", "rate=100mbit,delay=2ms,squeeze=24mbit@1s+1s", "--bitrate", "off", "--quality", "50",
		"--warmup", "500ms", "--duration", "3s", "--json", path)
	if code != 0 || !strings.Contains(out, "The squeeze") {
		t.Fatalf("exit %d: %s\n%s", code, said, out)
	}
	for _, run := range readReport(t, path).Runs {
		q := run.Stats.Squeeze
		if q == nil || q.Before.Latency == nil || q.During.Latency == nil || q.After.Latency == nil {
			t.Errorf("%s: a phase shows nothing: %+v", run.Transport, q)
			continue
		}
		t.Logf("%s: p50 %v, %v, %v ms", run.Transport, q.Before.Latency.P50, q.During.Latency.P50, q.After.Latency.P50)
		// 65 kB take 5 ms at 100 Mbit/s and 22 ms at 24.
		if q.Before.Due < 28 || q.During.Due < 28 || q.After.Due < 28 || q.During.Latency.P50 < q.Before.Latency.P50+10 {
			t.Errorf("%s: the squeeze does not show: %+v %+v %+v", run.Transport, q.Before, q.During, q.After)
		}
	}
}

// Whatever fails is said, the exit code is 1, and nothing hangs.
func TestBenchFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
		root bool
	}{
		"a sender that cannot start": {[]string{"--source", "images:/no/such/directory"}, "no such", false},
		"a link that loses all":      {[]string{"--link", "loss=100%"}, "not one of", true},
		"a deadline never met":       {[]string{"--deadline", "100us"}, "not one of", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.root {
				testutil.NeedRoot(t)
			}
			code, out, said := command(t, framegram, append([]string{"bench", "--duration", "1s"}, c.args...)...)
			if code != 1 || !strings.Contains(strings.Join(strings.Fields(out), " "), c.want) || !strings.Contains(said, "runs failed") {
				t.Errorf("exit %d, want 1 and %q\n%s\n%s", code, c.want, out, said)
			}
		})
	}
}

// children are the processes that pid has started, by what they run.
func children(t *testing.T, pid int) map[string]int {
	t.Helper()
	found := map[string]int{}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		b, _ := os.ReadFile(task)
		for _, field := range strings.Fields(string(b)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child))
			if words := strings.Split(string(line), "\x00"); len(words) > 1 {
				found[words[1]] = child
			}
		}
	}
	return found
}

// A sender or viewer that is killed is named in the report; the other runs go on.
func TestBenchSurvivesKill(t *testing.T) {
	t.Parallel()
	for _, victim := range []string{"send", "view"} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			p := startWith(t, options{stdout: &out}, "bench", "--duration", "2s", "--transport", "udp", "--repeat", "2")
			for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
				if pid, ok := children(t, p.cmd.Process.Pid)[victim]; ok {
					time.Sleep(time.Second) // in the middle
					syscall.Kill(pid, syscall.SIGKILL)
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("it did not start")
				}
			}
			if code := p.wait(); code != 1 {
				t.Errorf("exit %d, want 1", code)
			}
			if text := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(text, "killed") || !strings.Contains(text, "100 ") {
				t.Errorf("the report says\n%s", &out)
			}
		})
	}
}

// Ctrl-C keeps what was measured.
func TestBenchInterrupted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := startWith(t, options{stdout: &out}, "bench", "--duration", "2s", "--transport", "udp", "--repeat", "50")
	p.heard(`(run 2 of 50)`)
	p.interrupt()
	if code := p.wait(); code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
	if !strings.Contains(out.String(), "udp") || !strings.Contains(out.String(), "! cut short: ") || len(children(t, p.cmd.Process.Pid)) > 0 {
		t.Errorf("the report says\n%s", &out)
	}
}

// Two machines, each with a clock of its own as far as they know. The sender is on the one that asks,
// and a viewer on the other can be told to ask it in turn.
func TestBenchBetweenTwo(t *testing.T) {
	t.Parallel()
	at := freePort(t, "tcp")
	receiver := startWith(t, options{stdout: io.Discard}, "bench", "--receiver", "--listen", at)
	receiver.heard(`(waiting to measure)`)
	path := filepath.Join(t.TempDir(), "report.json")
	code, out, said := command(t, framegram, "bench", "--sender", at, "--connect", "push,subscribe",
		"--duration", "1s", "--json", path)
	if code != 0 || !strings.Contains(out, "clocks") {
		t.Fatalf("exit %d: %s\n%s", code, said, out)
	}
	runs := readReport(t, path).Runs
	if len(runs) != 3 || runs[1].Connect != "subscribe" {
		t.Errorf("%d runs, want push, subscribe and tcp", len(runs))
	}
	for _, run := range runs {
		if run.Err != "" || run.Stats.Shown == 0 {
			t.Errorf("%s %s: %+v", run.Transport, run.Connect, run)
		}
	}
	receiver.interrupt()
	if code := receiver.wait(); code != 0 {
		t.Errorf("the receiver ended with %d", code)
	}
}

// nobody is a command line run by a user who is not root, in a directory that is his. With tun it has
// a /dev/net/tun that is open to all, as distributions have it.
func nobody(t *testing.T, tun bool, args ...string) (code int, said string) {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, buildDir} { // he has to get there
		for ; d != "/" && d != "."; d = filepath.Dir(d) {
			if i, err := os.Stat(d); err == nil && i.Mode().Perm()&0o005 != 0o005 {
				os.Chmod(d, i.Mode().Perm()|0o055)
			}
		}
	}
	own := filepath.Join(dir, "own")
	if err := errors.Join(os.Mkdir(own, 0o777), os.Chmod(own, 0o777)); err != nil {
		t.Fatal(err)
	}
	script := `cd / && TMPDIR=$1 && export TMPDIR && shift && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"`
	if tun { // for this command alone: the mount ends with its namespace
		script = `mknod "$1/tun" c 10 200 && chmod 666 "$1/tun" && mount --bind "$1/tun" /dev/net/tun || exit 77; ` + script
	}
	testutil.Need(t, "setpriv")
	args = append([]string{"-m", "sh", "-c", script, "sh", own, framegram}, args...)
	cmd := brief(t, testutil.Need(t, "unshare"), args...)
	out, _ := cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), string(out)
}

// Who is not root has a link as well, where the kernel permits it. The exit code is that of the
// measurement, which another process makes.
func TestBenchWithoutRoot(t *testing.T) {
	testutil.NeedRoot(t) // to become nobody
	if tun, err := os.Stat("/dev/net/tun"); err != nil || tun.Mode().Perm()&0o006 != 0o006 {
		code, said := nobody(t, false, "bench", "--link", "lan", "--duration", "1s", "--transport", "udp")
		if code != 1 || !strings.Contains(said, "/dev/net/tun") || !strings.Contains(said, "loopback") {
			t.Errorf("exit %d, want to be told what is missing: %s", code, said)
		}
		if err != nil {
			return
		}
	}
	for _, c := range []struct {
		want int
		args []string
	}{
		{0, []string{"bench", "--link", "lan", "--duration", "1s", "--transport", "udp"}},
		{1, []string{"bench", "--link", "loss=100%", "--duration", "1s", "--transport", "udp"}},
		{0, oneCell},
	} {
		code, said := nobody(t, true, c.args...)
		if code == 77 {
			testutil.Skip(t, "a device cannot be made here: %s", said)
		}
		if strings.Contains(said, "namespaces, which this user may not make") { // and why is said
			t.Log(said)
			return
		}
		if code != c.want || !strings.Contains(said, "udp") || strings.Contains(said, "exit code") {
			t.Errorf("%s: exit %d, want %d: %s", strings.Join(c.args, " "), code, c.want, said)
		}
	}
}
