package command

import (
	"net/netip"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]address{
		"10.0.0.2":             {host: "10.0.0.2", port: 5600},
		"10.0.0.2:7":           {host: "10.0.0.2", port: 7},
		"udp://10.0.0.2:7":     {host: "10.0.0.2", port: 7},
		"udp://screen":         {host: "screen", port: 5600},
		"udp://screen:7/":      {host: "screen", port: 7},
		"[ff02::1%eth0]":       {host: "ff02::1%eth0", port: 5600},
		"screen.local:65535":   {host: "screen.local", port: 65535},
		":7":                   {port: 7},
		"":                     {port: 5600},
		"::1":                  {host: "::1", port: 5600},
		"[::1]":                {host: "::1", port: 5600},
		"[::1]:7":              {host: "::1", port: 7},
		"[fe80::1%eth0]:7":     {host: "fe80::1%eth0", port: 7},
		"udp://[fe80::1%eth0]": {host: "fe80::1%eth0", port: 5600},
	} {
		want.text, want.transport = text, "udp"
		if got, err := parseAddress("to", text, "udp"); err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"http://screen":   `"http"`,
		"screen:x":        `port is "x"`,
		"screen:-1":       `port is "-1"`,
		"screen:65536":    `port is "65536"`,
		"a,b":             "not a host",
		"user@screen":     "not a host",
		"screen/path":     "not a host",
		"[screen]:7":      "not a host",
		"two words":       "not a host",
		"1:2:3":           "not a host",
		"udp://udp://x:7": "not a host",
	} {
		if got, err := parseAddress("to", text, "udp"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %+v, %v, want an error with %q", text, got, err, want)
		}
	}
}

func TestListenAddress(t *testing.T) {
	for text, want := range map[string]string{":7": "[::]:7", "127.0.0.1:7": "127.0.0.1:7", "[::1]:7": "[::1]:7"} {
		a, err := parseAddress("listen", text, "udp")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := a.listenAddress(t.Context()); err != nil || got != netip.MustParseAddrPort(want) {
			t.Errorf("%q: got %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestParseDSCP(t *testing.T) {
	for text, want := range map[string]int{ // RFC 2474, 2597, 3246
		"0": 0, "63": 63, "cs0": 0, "CS7": 56, "af11": 10, "AF41": 34, "af43": 38, "ef": 46,
	} {
		if got, err := parseDSCP(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "64", "-1", "cs8", "af01", "af44", "af51", "efx", "best"} {
		if got, err := parseDSCP(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}
