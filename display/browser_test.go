//go:build linux

package display

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/websocket"

	"github.com/framegram/framegram/internal/testutil"
)

// browser is a headless Chromium with one page open, driven through its DevTools
// protocol (https://chromedevtools.github.io/devtools-protocol/).
type browser struct {
	t        *testing.T
	ws       *websocket.Conn
	id       int
	problems []string // that the page had: exceptions, violations of its policy
}

func openBrowser(t *testing.T, url string, width, height int) *browser {
	t.Helper()
	chromium := testutil.Need(t, "chromium", "chromium-browser", "google-chrome")
	profile := t.TempDir()
	cmd := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
		"--hide-scrollbars", "--user-data-dir="+profile, "--remote-debugging-port=0", "--remote-allow-origins=*",
		fmt.Sprintf("--window-size=%d,%d", width, height), "about:blank")
	endWithTest(t, cmd)
	b := &browser{t: t, ws: dialDevTools(t, filepath.Join(profile, "DevToolsActivePort"))}
	b.call("Runtime.enable", nil)
	b.call("Log.enable", nil)
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false})
	b.call("Page.navigate", map[string]any{"url": url})
	return b
}

// endWithTest starts cmd as the leader of its own group, and ends all of it with the
// test. When it prints something, the test shows it.
func endWithTest(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var said bytes.Buffer
	cmd.Stderr = &said
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		killGroup(cmd)
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said: %s", filepath.Base(cmd.Path), said.Bytes()[:min(2000, said.Len())])
		}
	})
}

// dialDevTools connects to the first page; portFile appears when the browser is up.
func dialDevTools(t *testing.T, portFile string) *websocket.Conn {
	t.Helper()
	var port string
	waitFor(t, "the browser to start", func() bool {
		b, err := os.ReadFile(portFile)
		port, _, _ = strings.Cut(string(b), "\n")
		return err == nil && strings.Contains(string(b), "\n")
	})
	var pages []struct {
		Type string `json:"type"`
		URL  string `json:"webSocketDebuggerUrl"`
	}
	waitFor(t, "the browser's page", func() bool {
		r, err := http.Get("http://127.0.0.1:" + port + "/json")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		return json.NewDecoder(r.Body).Decode(&pages) == nil && len(pages) > 0
	})
	for _, p := range pages {
		if p.Type == "page" {
			ws, err := websocket.Dial(p.URL, "", "http://127.0.0.1/")
			if err != nil {
				t.Fatal(err)
			}
			ws.MaxPayloadBytes = 64 << 20
			t.Cleanup(func() { ws.Close() })
			return ws
		}
	}
	t.Fatalf("no page among %+v", pages)
	return nil
}

// call sends a command and returns its result.
func (b *browser) call(method string, params any) json.RawMessage {
	b.t.Helper()
	b.id++
	if err := websocket.JSON.Send(b.ws, map[string]any{"id": b.id, "method": method, "params": params}); err != nil {
		b.t.Fatal(err)
	}
	for {
		var answer struct {
			ID     int
			Method string
			Params json.RawMessage
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := websocket.JSON.Receive(b.ws, &answer); err != nil {
			b.t.Fatal(err)
		}
		if answer.Method == "Runtime.exceptionThrown" || answer.Method == "Log.entryAdded" {
			b.problems = append(b.problems, string(answer.Params))
		}
		if answer.Error != nil {
			b.t.Fatalf("%s: %s", method, answer.Error.Message)
		}
		if answer.ID == b.id {
			return answer.Result
		}
	}
}

// eval returns the value of a JavaScript expression, as JSON.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var r struct {
		Result struct{ Value json.RawMessage }
	}
	if err := json.Unmarshal(b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}), &r); err != nil {
		b.t.Fatal(err)
	}
	return string(r.Result.Value)
}

// state waits until the page says so.
func (b *browser) state(want string) {
	b.t.Helper()
	waitFor(b.t, "the page to be "+want, func() bool {
		return b.eval("document.body?.dataset.state") == `"`+want+`"`
	})
}

func (b *browser) screenshot() image.Image {
	b.t.Helper()
	var r struct{ Data string }
	if err := json.Unmarshal(b.call("Page.captureScreenshot", map[string]any{"format": "png"}), &r); err != nil {
		b.t.Fatal(err)
	}
	m, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(r.Data)))
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

// box is where the page has an element, in pixels of a screenshot.
func (b *browser) box(id string) image.Rectangle {
	b.t.Helper()
	var r struct{ X, Y, Width, Height float64 }
	if err := json.Unmarshal([]byte(b.eval("document.getElementById('"+id+"').getBoundingClientRect().toJSON()")), &r); err != nil {
		b.t.Fatal(err)
	}
	return image.Rect(int(r.X), int(r.Y), int(r.X+r.Width), int(r.Y+r.Height))
}
