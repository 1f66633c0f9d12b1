package udp

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// Each error is of its kinds and of no other, and is said in the words for who must act on it.
func TestErrorsAreToldApart(t *testing.T) {
	kinds := map[string]func(error) bool{
		"refused": isRefused, "too long": isTooLong, "no room": isNoRoom, "full": isFull, "taken": isUsed,
		"addressless": isAddressless, "unreachable": isUnreachable, "forbidden": isForbidden, "late": isLate,
	}
	for e, tt := range map[error]struct{ kinds, says string }{
		syscall.ECONNREFUSED:   {"refused", "nobody listens there"},
		syscall.ECONNRESET:     {"refused", "nobody listens there"},
		syscall.EMSGSIZE:       {"too long", "sending"},
		syscall.ENOBUFS:        {"no room", "queue is full"},
		syscall.EAGAIN:         {"full", "sending"},
		syscall.EADDRINUSE:     {"taken", "sending"},
		syscall.EADDRNOTAVAIL:  {"addressless, unreachable", "no address to send from"},
		syscall.ENETUNREACH:    {"unreachable", "no way there"},
		syscall.EHOSTUNREACH:   {"unreachable", "no way there"},
		syscall.ENETDOWN:       {"unreachable", "no way there"},
		syscall.EHOSTDOWN:      {"unreachable", "no way there"},
		syscall.EPERM:          {"forbidden", "a firewall"},
		syscall.EACCES:         {"forbidden", "a firewall"},
		os.ErrDeadlineExceeded: {"late", "too slow"},
		syscall.Errno(12345):   {"", "sending"},
		net.ErrClosed:          {"", "sending"},
	} {
		err := fmt.Errorf("to somebody: %w", &net.OpError{Op: "write", Err: os.NewSyscallError("sendto", e)})
		for name, is := range kinds {
			if want := strings.Contains(tt.kinds, name); is(err) != want {
				t.Errorf("%v is %s: %v, want %v", e, name, is(err), want)
			}
		}
		if says := explain(err); !strings.Contains(says, tt.says) {
			t.Errorf("%v is called %q, want %q", e, says, tt.says)
		}
	}
}
