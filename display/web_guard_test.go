package display

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A page on the loopback interface answers only names that no stranger's site can
// have; a page opened to the network answers all.
func TestGuard(t *testing.T) {
	for _, tt := range []struct {
		asked, host   string
		private, open int // statuses: on the loopback interface, on another
	}{
		{"", "127.0.0.1:8080", 200, 200},
		{"", "localhost:8080", 200, 200},
		{"", "LOCALHOST", 200, 200},
		{"", "localhost.:8080", 200, 200},
		{"", "camera.localhost:8080", 200, 200},
		{"", "[::1]:8080", 200, 200},
		{"", "::1", 200, 200},
		{"", "192.168.1.7:8080", 200, 200}, // a forwarded port
		{"", "", 200, 200},                 // HTTP/1.0
		{"workshop", "Workshop:8080", 200, 200},
		{"", "evil.example", 403, 200},
		{"", "evil.example:8080", 403, 200},
		{"", "127.0.0.1.evil.example", 403, 200},
		{"", "localhost.evil.example", 403, 200},
		{"", "notlocalhost", 403, 200},
		{"workshop", "workshop.evil.example", 403, 200},
		{"", "[", 403, 200},
	} {
		for ip, want := range map[string]int{"127.0.0.1": tt.private, "::1": tt.private, "192.168.1.7": tt.open, "::": tt.open, "0.0.0.0": tt.open} {
			h := guard(webAddr{host: tt.asked}, &net.TCPAddr{IP: net.ParseIP(ip)}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			r, got := httptest.NewRequest("GET", "/stats", nil), httptest.NewRecorder()
			r.Host = tt.host
			h.ServeHTTP(got, r)
			if got.Code != want {
				t.Errorf("Host %q, served at %s: got %d, want %d", tt.host, ip, got.Code, want)
			}
		}
	}
}

// Over a real connection, and for everything that is served.
func TestForeignHost(t *testing.T) {
	w := openPage(t, Config{})
	for _, path := range []string{"", "stats", "stream.mjpg", "snapshot.jpg", "main.js"} {
		r, err := http.NewRequest("GET", w.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "rebound.example"
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != http.StatusForbidden {
			t.Errorf("/%s: %s", path, a.Status)
		}
	}
}

func TestParseWebAddr(t *testing.T) {
	for s, want := range map[string]webAddr{
		"":                  {"127.0.0.1", "8080", false},
		"9000":              {"127.0.0.1", "9000", true},
		":9000":             {"", "9000", true},
		"0.0.0.0:9000":      {"0.0.0.0", "9000", true},
		"workshop":          {"workshop", "8080", true},
		"workshop:9000":     {"workshop", "9000", true},
		"192.168.1.7":       {"192.168.1.7", "8080", true},
		"::1":               {"::1", "8080", true},
		"[::1]":             {"::1", "8080", true},
		"[::1]:9000":        {"::1", "9000", true},
		"[fe80::1%eth0]:80": {"fe80::1%eth0", "80", true},
	} {
		if got, err := parseWebAddr(s); got != want || err != nil {
			t.Errorf("%q: got %+v, %v, want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{":", "a:b:c", "x:http", "70000:1:2", "workshop:70000", "workshop:-1"} {
		if got, err := parseWebAddr(s); err == nil {
			t.Errorf("%q: got %+v, want an error", s, got)
		}
	}
}

// The default address may be taken, one that was asked for may not.
func TestWebAddrTaken(t *testing.T) {
	if l, err := net.Listen("tcp", DefaultWebAddr); err == nil {
		defer l.Close() // else somebody else has it: just as well
	}
	s := openTest(t, Config{Kind: "web"})
	defer s.Close()
	if url := s.(*web).URL(); !strings.HasPrefix(url, "http://127.0.0.1:") || strings.Contains(url, ":8080/") {
		t.Errorf("served at %s", url)
	}
	for _, taken := range []string{DefaultWebAddr, "203.0.113.1:0"} {
		s, err := Open(Config{Kind: "web", WebAddr: taken})
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", taken)
		} else if !strings.Contains(err.Error(), "give another address") {
			t.Errorf("%s: got %v", taken, err)
		}
	}
}

// Opened to the network, the page is said to be where others find it.
func TestWebPlaces(t *testing.T) {
	s := openTest(t, Config{Kind: "web", WebAddr: ":0"})
	defer s.Close()
	w := s.(*web)
	if r, _ := get(t, w, "stats"); r.StatusCode != http.StatusOK {
		t.Errorf("at %s: %s", w.URL(), r.Status)
	}
	for _, tt := range []struct {
		host, at, url string
	}{
		{"127.0.0.1", "127.0.0.1", "http://127.0.0.1:80/"},
		{"", "0.0.0.0", "http://127.0.0.1:80/"},
		{"", "::", "http://[::1]:80/"},
		{"::1", "::1", "http://[::1]:80/"},
		{"workshop", "192.168.1.7", "http://workshop:80/"},
	} {
		a, at := webAddr{host: tt.host}, &net.TCPAddr{IP: net.ParseIP(tt.at), Port: 80}
		if got := a.url(at); got != tt.url {
			t.Errorf("%q at %s: got %s, want %s", tt.host, tt.at, got, tt.url)
		}
		if got := a.places(at); !strings.HasSuffix(got, tt.url) {
			t.Errorf("%q at %s: said %q", tt.host, tt.at, got)
		}
	}
}
