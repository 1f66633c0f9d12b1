package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// chromium opens a page once, with the given size and colour scheme, and returns what
// it prints.
func chromium(t *testing.T, page string, width, height int, dark bool, args ...string) []byte {
	t.Helper()
	path := testutil.Need(t, "chromium", "chromium-browser", "google-chrome")
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	scheme := 1
	if dark {
		scheme = 0
	}
	cmd := exec.CommandContext(ctx, path, append(append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(),
		fmt.Sprintf("--blink-settings=preferredColorScheme=%d", scheme), fmt.Sprintf("--window-size=%d,%d", width, height)}, args...), "file://"+page)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // whoever it left behind holds on to its directory
	}
	if err != nil {
		t.Fatalf("%v: %s", err, said.Bytes()[:min(said.Len(), 2000)])
	}
	return out
}

// layout is what a page looks like to the browser.
type layout struct {
	Over  float64  // how far it is wider than the window, px
	Plots int      // with a size
	Flat  []string // ids of those without
	Cut   []string // texts that stick out of their plot
	Clash []string // axis labels of a plot that lie on each other
	Back  string
	Color string // of the curve of udp
}

const survey = `<script>
const out = {Over: document.documentElement.scrollWidth - innerWidth, Plots: 0, Flat: [], Cut: [], Clash: []};
for (const svg of document.querySelectorAll("svg.plot")) {
	const box = svg.getBoundingClientRect();
	if (box.width > 100 && box.height > 40) out.Plots++; else out.Flat.push(svg.id);
	for (const text of svg.querySelectorAll("text")) {
		const b = text.getBoundingClientRect();
		if (b.left < box.left - 1 || b.right > box.right + 1 || b.top < box.top - 1 || b.bottom > box.bottom + 1) out.Cut.push(svg.id + ": " + text.textContent);
	}
	const ticks = [...svg.querySelectorAll(".tick, .label")].map(t => [t.textContent, t.getBoundingClientRect()]);
	ticks.forEach(([a, p], i) => ticks.slice(i + 1).forEach(([b, q]) => {
		if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 2 && q.top < p.bottom - 2) out.Clash.push(svg.id + ": " + a + " on " + b);
	}));
}
out.Back = getComputedStyle(document.body).backgroundColor;
out.Color = getComputedStyle(document.querySelector(".s0 .curve")).stroke;
document.body.dataset.survey = JSON.stringify(out);
</script></body>`

var surveyed = regexp.MustCompile(`data-survey="([^"]*)"`)

func TestPageInABrowser(t *testing.T) {
	clocked := single() // one place, and two clocks
	for i := range clocked.Runs {
		run := clocked.Runs[i].Run
		run.Clock = &Clock{Bound: Duration{250 * time.Microsecond}}
		clocked.Runs[i].Stats = Analyse(run)
	}
	for name, r := range map[string]*Report{"sweep": sweepReport(3, 20*time.Second, "cubic", "bbr"), "single": clocked} {
		page := written(t, func(b *bytes.Buffer) error { return WriteHTML(b, r) })
		file := filepath.Join(t.TempDir(), name+".html")
		write := func(name string, b []byte) {
			if err := os.WriteFile(name, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write(file, page)
		probe := strings.Replace(string(page), "default-src 'none'; style-src 'unsafe-inline'", "", 1)
		probe = strings.Replace(probe, "</body>", survey, 1)
		write(file+".probe.html", []byte(probe))
		for _, c := range []struct {
			width, height int
			dark          bool
			back          color.RGBA
			udp           string
		}{
			{1280, 6900, false, color.RGBA{0xf6, 0xf7, 0xf9, 255}, "rgb(0, 114, 178)"},
			{900, 8300, true, color.RGBA{0x0b, 0x0d, 0x10, 255}, "rgb(86, 180, 233)"},
		} {
			t.Run(fmt.Sprintf("%s%d", name, c.width), func(t *testing.T) {
				out := chromium(t, file+".probe.html", c.width, c.height, c.dark, "--dump-dom")
				match := surveyed.FindSubmatch(out)
				if match == nil {
					t.Fatalf("no survey in %.500s", out)
				}
				var l layout
				if err := json.Unmarshal([]byte(html.UnescapeString(string(match[1]))), &l); err != nil {
					t.Fatal(err)
				}
				if want := 6 + 2*len(places(Summarise(r))); l.Plots != want || len(l.Flat) > 0 {
					t.Errorf("%d plots, want %d; without a size: %q", l.Plots, want, l.Flat)
				}
				if l.Over > 0 || len(l.Cut) > 0 || len(l.Clash) > 0 {
					t.Errorf("%v px too wide; cut off: %q; on each other: %q", l.Over, l.Cut, l.Clash)
				}
				if want := fmt.Sprintf("rgb(%d, %d, %d)", c.back.R, c.back.G, c.back.B); l.Back != want || l.Color != c.udp {
					t.Errorf("background %s, udp %s, want %s and %s", l.Back, l.Color, want, c.udp)
				}

				shot := filepath.Join(t.TempDir(), "shot.png")
				chromium(t, file, c.width, c.height, c.dark, "--screenshot="+shot)
				b, err := os.ReadFile(shot)
				if err != nil {
					t.Fatal(err)
				}
				picture, err := png.Decode(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				if got := color.RGBAModel.Convert(picture.At(2, 2)); got != c.back {
					t.Errorf("the corner is %v, want %v", got, c.back)
				}
				if dir := os.Getenv("FRAMEGRAM_SHOTS"); dir != "" {
					write(filepath.Join(dir, fmt.Sprintf("bench-%s-%d.png", name, c.width)), b)
				}
			})
		}
	}
}
