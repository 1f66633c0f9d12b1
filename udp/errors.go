package udp

import (
	"errors"
	"os"
	"syscall"
)

// What the network's errors mean to a sender, by errno (send(2), ip(7)).

// isRefused: ICMP said that nothing listens on an earlier datagram's port.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// isTooLong: larger than the path's MTU, and DF is set.
func isTooLong(err error) bool { return errors.Is(err, syscall.EMSGSIZE) }

// isNoRoom: the interface's queue is full.
func isNoRoom(err error) bool { return errors.Is(err, syscall.ENOBUFS) }

// isLate: the send buffer stayed full for sendPatience.
func isLate(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// isUnreachable: no way there, or no longer one from the socket's local address.
func isUnreachable(err error) bool {
	for _, e := range [...]syscall.Errno{
		syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.EADDRNOTAVAIL, syscall.EINVAL,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// explain says an error in the words of who must act on it.
func explain(err error) string {
	switch {
	case isRefused(err):
		return "nobody listens there: start `framegram view` on that machine and port"
	case isUnreachable(err):
		return "no way there: check the address, the cable and the route"
	case isNoRoom(err):
		return "the interface's queue is full: lower the rate"
	case isLate(err):
		return "the kernel takes no more datagrams: the link is too slow for this stream"
	case errors.Is(err, os.ErrPermission):
		return "a firewall on this machine forbids sending there"
	}
	return "sending"
}
