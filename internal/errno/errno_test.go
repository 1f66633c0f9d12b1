package errno

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

// Windows' numbers, as its documentation has them ("Windows Sockets Error Codes"), become
// what the same names are elsewhere.
func TestWinsock(t *testing.T) {
	for number, want := range map[syscall.Errno]syscall.Errno{
		10013: syscall.EACCES,
		10022: syscall.EINVAL,
		10035: syscall.EAGAIN,
		10040: syscall.EMSGSIZE,
		10048: syscall.EADDRINUSE,
		10049: syscall.EADDRNOTAVAIL,
		10050: syscall.ENETDOWN,
		10051: syscall.ENETUNREACH,
		10054: syscall.ECONNRESET,
		10055: syscall.ENOBUFS,
		10060: syscall.ETIMEDOUT,
		10061: syscall.ECONNREFUSED,
		10064: syscall.EHOSTDOWN,
		10065: syscall.EHOSTUNREACH,

		0: 0, 10000: 10000, 10066: 10066, syscall.EAGAIN: syscall.EAGAIN,
	} {
		if got := fromWinsock(number); got != want {
			t.Errorf("%d is %v, want %v", number, got, want)
		}
	}
}

// An error is known however it is wrapped, and looking costs nothing.
func TestOf(t *testing.T) {
	err := fmt.Errorf("to somebody: %w", &net.OpError{Op: "write", Err: os.NewSyscallError("sendto", syscall.ECONNREFUSED)})
	for _, tt := range []struct {
		err  error
		want syscall.Errno
	}{
		{err, syscall.ECONNREFUSED},
		{errors.Join(errors.New("other"), err), syscall.ECONNREFUSED},
		{syscall.EAGAIN, syscall.EAGAIN},
		{nil, 0},
		{os.ErrDeadlineExceeded, 0},
		{net.ErrClosed, 0},
	} {
		if got := Of(tt.err); got != tt.want {
			t.Errorf("%v is %v, want %v", tt.err, got, tt.want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Of(err) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
