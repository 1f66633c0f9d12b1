package tcp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/internal/errno"
)

// errBye: the other side ended the connection.
var errBye = errors.New("it has ended")

// gone says in words why a connection ended.
func gone(err error) string {
	number := errno.Of(err)
	switch {
	case errors.Is(err, errBye):
		return "it has ended"
	case errors.Is(err, errFlood):
		return fmt.Sprintf("it sent more than %d pings in a second", maxPings)
	case errors.Is(err, errStalled):
		return fmt.Sprintf("it took nothing for %v", stall)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("nothing came from it for %v", silence)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it closed the connection"
	case number == syscall.ECONNRESET, number == syscall.EPIPE:
		return "it broke off the connection"
	case number == syscall.ETIMEDOUT:
		return "it no longer answers"
	case errors.Is(err, fragment.ErrInvalid), errors.Is(err, fragment.ErrMagic), errors.Is(err, fragment.ErrShort), errors.Is(err, fragment.ErrVersion), errors.Is(err, fragment.ErrType):
		return "it does not keep to the protocol: " + err.Error()
	}
	return err.Error()
}

// quiet reports whether a peer was given up because it did nothing.
func quiet(err error) bool {
	return errors.Is(err, errStalled) || errors.Is(err, os.ErrDeadlineExceeded) || errno.Of(err) == syscall.ETIMEDOUT
}

// unreached says in words why nobody could be dialled. start is the command that is
// missing at the other end.
func unreached(err error, start string) string {
	var (
		stranger *strangerError
		refused  *refusedError
		dns      *net.DNSError
	)
	number := errno.Of(err)
	switch {
	case errors.As(err, &stranger), errors.As(err, &refused):
		return err.Error()
	case errors.As(err, &dns):
		return "no address found for that name: check it, or give an IP address"
	case number == syscall.ECONNREFUSED:
		return "nobody listens there: start `" + start + "` on that machine and port"
	case errors.Is(err, os.ErrDeadlineExceeded), number == syscall.ETIMEDOUT, timedOut(err):
		return "no answer: check the address, the cable and firewalls"
	case errors.Is(err, os.ErrPermission), number == syscall.EACCES:
		return "a firewall on this machine forbids that"
	}
	switch number {
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.EADDRNOTAVAIL:
		return "no way there: check the address, the cable and the route"
	}
	return gone(err)
}

// timedOut reports whether a dial ended by its own limit, which package net tells in
// more than one way.
func timedOut(err error) bool {
	var limit net.Error
	return errors.As(err, &limit) && limit.Timeout()
}
