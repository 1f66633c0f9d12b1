package display

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard answers for the page's privacy.
//
// A page served on the loopback interface is for this machine. A browser here also
// runs other sites' scripts, and one of them could have its own name resolve to
// 127.0.0.1 and then read the picture as its own ("DNS rebinding"). Such a request
// carries that name, so only addresses, localhost and the name in Config.WebAddr are
// answered. A page opened to the network is everybody's there, under any name.
//
// No CORS header is ever sent: other sites cannot read figures or pixels. They can
// embed the stream and the snapshot as images, as home automation pages do.
func guard(asked webAddr, at net.Addr, next http.Handler) http.Handler {
	private := at.(*net.TCPAddr).IP.IsLoopback()
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if private && !localName(r.Host, asked.host) {
			http.Error(rw, "framegram: this page is only served as localhost or by address; give the name with --web NAME:PORT to allow it", http.StatusForbidden)
			return
		}
		h := rw.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Resource-Policy", "same-origin") // the pictures set it anew
		next.ServeHTTP(rw, r)
	})
}

// localName reports whether the Host header is one that a stranger's site cannot
// have. HTTP/1.0 clients, which are no browsers, may send none.
func localName(host, asked string) bool {
	if host == "" {
		return true
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || asked != "" && host == strings.ToLower(asked) {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}
