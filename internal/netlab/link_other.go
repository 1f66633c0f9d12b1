//go:build !linux

package netlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"runtime"
)

var errLinux = fmt.Errorf("netlab: links are made of Linux's network namespaces and cannot be had on %s; plain loopback works: %w", runtime.GOOS, errors.ErrUnsupported)

// Link is what Open never returns here.
type Link struct{}

// Host is one end of a Link.
type Host struct{}

// Open returns an error that matches [errors.ErrUnsupported].
func Open(context.Context, Params) (*Link, error) { return nil, errLinux }

// Reexec returns the same error: there is nothing that it could make possible.
func Reexec(context.Context, io.Reader, io.Writer, io.Writer) (int, bool, error) {
	return 0, false, errLinux
}

// A is one host.
func (*Link) A() *Host { return nil }

// B is the other.
func (*Link) B() *Host { return nil }

// Set changes nothing.
func (*Link) Set(Params) error { return errLinux }

// Stats are none.
func (*Link) Stats() Stats { return Stats{} }

// Close does nothing.
func (*Link) Close() error { return nil }

// Addr4 is none.
func (*Host) Addr4() netip.Addr { return netip.Addr{} }

// Addr6 is none.
func (*Host) Addr6() netip.Addr { return netip.Addr{} }

// Interface is none.
func (*Host) Interface() string { return "" }

// Start starts nothing.
func (*Host) Start(*exec.Cmd) error { return errLinux }

// Do calls nothing.
func (*Host) Do(func() error) error { return errLinux }
