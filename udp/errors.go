package udp

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"github.com/framegram/framegram/internal/errno"
)

// ConfigError reports a value of a Config that cannot be used. Field is the name of
// the command-line flag: "to", "listen", "iface", "ttl", "multicast-source", "mtu" or
// "dscp".
type ConfigError struct {
	Field string
	Err   error
}

func (e *ConfigError) Error() string { return "udp: " + e.Field + " " + e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

// ListenError reports an address that viewers could not be listened for on.
type ListenError struct {
	At  netip.AddrPort
	Err error
}

func (e *ListenError) Error() string { return "udp: " + e.Err.Error() }
func (e *ListenError) Unwrap() error { return e.Err }

func wrong(field, format string, a ...any) error {
	return &ConfigError{field, fmt.Errorf(format, a...)}
}

// What the network's errors mean to a sender, by errno (send(2), ip(7)).

// isRefused: ICMP said that nothing listens on an earlier datagram's port.
// Windows calls that a reset.
func isRefused(err error) bool {
	e := errno.Of(err)
	return e == syscall.ECONNREFUSED || e == syscall.ECONNRESET
}

// isTooLong: larger than the path's MTU, and DF is set.
func isTooLong(err error) bool { return errno.Of(err) == syscall.EMSGSIZE }

// isNoRoom: the interface's queue is full.
func isNoRoom(err error) bool { return errno.Of(err) == syscall.ENOBUFS }

// isFull: the send buffer has no room now (send(2)).
func isFull(err error) bool { return errno.Of(err) == syscall.EAGAIN }

// isLate: the send buffer stayed full for sendPatience.
func isLate(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// isUsed: another socket has that address, or the membership is this one's already.
func isUsed(err error) bool { return errno.Of(err) == syscall.EADDRINUSE }

// isAddressless: the interface has no address to send from, or not any longer. IPv6
// answers so until duplicate address detection has ended (RFC 4862 section 5.4).
func isAddressless(err error) bool { return errno.Of(err) == syscall.EADDRNOTAVAIL }

// isUnreachable: no way there, or no longer one from the socket's local address.
func isUnreachable(err error) bool {
	switch errno.Of(err) {
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.EADDRNOTAVAIL, syscall.EINVAL,
		syscall.ENODEV, syscall.ENXIO:
		return true
	}
	return false
}

// isForbidden: a firewall on this machine drops it.
func isForbidden(err error) bool {
	e := errno.Of(err)
	return e == syscall.EPERM || e == syscall.EACCES
}

// explain says an error in the words of who must act on it.
func explain(err error) string {
	switch {
	case isRefused(err):
		return "nobody listens there: start `framegram view` on that machine and port"
	case isAddressless(err):
		return "no way there: this machine has no address to send from, or not yet (IPv6 checks a new one for a second or two): trying again"
	case isUnreachable(err):
		return "no way there: check the address, the cable and the route"
	case isNoRoom(err):
		return "the interface's queue is full: lower the rate"
	case isLate(err):
		return "the kernel takes no more datagrams: the link is too slow for this stream"
	case isForbidden(err):
		return "a firewall on this machine forbids sending there"
	}
	return "sending"
}
