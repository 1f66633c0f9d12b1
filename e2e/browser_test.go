//go:build linux

package e2e

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// browser is a headless Chromium with one page open, driven over the pipe of its
// DevTools protocol (https://chromedevtools.github.io/devtools-protocol/).
type browser struct {
	t       *testing.T
	to      *os.File
	from    *bufio.Reader
	session string
	id      int
}

// browse opens a page of the given size.
func browse(t *testing.T, url string, width, height int) *browser {
	t.Helper()
	path := testutil.Need(t, "chromium", "chromium-browser", "google-chrome")
	theirIn, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := beside(path, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--force-prefers-reduced-motion", "--disable-background-networking",
		"--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), fmt.Sprintf("--window-size=%d,%d", width, height), "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	t.Cleanup(func() {
		to.Close()
		from.Close()
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it and its children
		cmd.Wait()
	})
	from.SetReadDeadline(time.Now().Add(2 * patience))
	b := &browser{t: t, to: to, from: bufio.NewReader(from)}
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": url}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	return b
}

// call calls a method; events that come in between are of no interest.
func (b *browser) call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.id++
	request := map[string]any{"id": b.id, "method": method, "params": params}
	if b.session != "" {
		request["sessionId"] = b.session
	}
	message, err := json.Marshal(request)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(message, 0)); err != nil {
		b.t.Fatalf("chromium: %v", err)
	}
	for {
		line, err := b.from.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("chromium, after %s: %v", method, err)
		}
		var response struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(line[:len(line)-1], &response); err != nil {
			b.t.Fatalf("chromium: %v: %s", err, line)
		}
		if response.ID != b.id {
			continue
		}
		if response.Error != nil {
			b.t.Fatalf("chromium: %s: %s", method, response.Error.Message)
		}
		if err := json.Unmarshal(response.Result, result); err != nil {
			b.t.Fatalf("chromium: %s: %v", method, err)
		}
		return
	}
}

// eval evaluates an expression in the page.
func (b *browser) eval(expression string, value any) {
	b.t.Helper()
	var out struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Text string }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &out)
	if out.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, out.ExceptionDetails.Text)
	}
	if err := json.Unmarshal(out.Result.Value, value); err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
}

// until waits until an expression is true.
func (b *browser) until(expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		var ok bool
		if b.eval("!!("+expression+")", &ok); ok {
			return
		}
		if time.Now().After(deadline) {
			var text string
			b.eval("document.body.innerText", &text)
			b.t.Fatalf("the page never had %s; it reads:\n%s", expression, text)
		}
	}
}

// picture is where the canvas shows its picture: as large as fits, in the middle.
const picture = `(() => {
	const canvas = document.querySelector("#picture"), box = canvas.getBoundingClientRect();
	const scale = Math.min(box.width / canvas.width, box.height / canvas.height);
	const width = canvas.width * scale, height = canvas.height * scale;
	return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height, scale: 1 };
})()`

// shoot saves what a rectangle of the page looks like as PNG, and returns the file's
// name.
func (b *browser) shoot(rectangle string) string {
	b.t.Helper()
	var clip map[string]float64
	b.eval(rectangle, &clip)
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"clip": clip}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	name := filepath.Join(b.t.TempDir(), "shot.png")
	if err := os.WriteFile(name, png, 0o644); err != nil {
		b.t.Fatal(err)
	}
	return name
}

func TestWebPage(t *testing.T) {
	t.Parallel()
	clip := clipFrames(t)
	viewer := view(t, "--display", "web", "--web", "127.0.0.1:0")
	send(t, viewer.listening(), "--source", clipPath(t), "--loop")
	viewer.await("frame", shown(0))
	b := browse(t, viewer.page(), 1000, 800)
	b.until(`document.body?.dataset.state === "live" && document.querySelector("#picture").width === 560`)
	for range 3 {
		mustShow(t, "the page", smalls(t, "-i", b.shoot(picture))[0], clip)
	}
	b.until(`parseFloat(document.querySelector("#fps").textContent) > 20`)
	b.until(`parseFloat(document.querySelector("#latency").textContent) > 0`)
}
