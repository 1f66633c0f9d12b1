// Package errno tells what a network error of the system is, whatever the system.
package errno

import (
	"errors"
	"runtime"
	"syscall"
)

// Of is the number that an error of the system wraps, the first of several, 0 where there
// is none. It is one of syscall's E... on Windows, too, where errors.Is finds none of
// these: Go has the names there, but as numbers of its own, which the system never returns.
func Of(err error) syscall.Errno {
	e, _ := errors.AsType[syscall.Errno](err)
	if runtime.GOOS == "windows" {
		return fromWinsock(e)
	}
	return e
}

// fromWinsock turns an error number of Windows Sockets (winsock2.h) into the one of the
// same name. Others stay as they are.
func fromWinsock(e syscall.Errno) syscall.Errno {
	switch e {
	case 10013: // WSAEACCES
		return syscall.EACCES
	case 10022: // WSAEINVAL
		return syscall.EINVAL
	case 10035: // WSAEWOULDBLOCK
		return syscall.EAGAIN
	case 10040: // WSAEMSGSIZE
		return syscall.EMSGSIZE
	case 10048: // WSAEADDRINUSE
		return syscall.EADDRINUSE
	case 10049: // WSAEADDRNOTAVAIL
		return syscall.EADDRNOTAVAIL
	case 10050: // WSAENETDOWN
		return syscall.ENETDOWN
	case 10051: // WSAENETUNREACH
		return syscall.ENETUNREACH
	case 10054: // WSAECONNRESET
		return syscall.ECONNRESET
	case 10055: // WSAENOBUFS
		return syscall.ENOBUFS
	case 10060: // WSAETIMEDOUT
		return syscall.ETIMEDOUT
	case 10061: // WSAECONNREFUSED
		return syscall.ECONNREFUSED
	case 10064: // WSAEHOSTDOWN
		return syscall.EHOSTDOWN
	case 10065: // WSAEHOSTUNREACH
		return syscall.EHOSTUNREACH
	}
	return e
}
